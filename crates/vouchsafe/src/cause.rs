//! Why a holding was condemned: the reason, and the rule of the policy that demands it.

use vouchsafe_ledger::DestructionReason;

/// What the row of a condemned or destroyed holding says: `reason/rule`, or the reason alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause<'a> {
    /// The word of the log's vocabulary.
    pub(crate) reason: &'a str,
    /// The rule; `None` where no rule was asked.
    pub(crate) rule: Option<&'a str>,
}

impl<'a> Cause<'a> {
    pub(crate) const fn new(reason: DestructionReason, rule: Option<&'a str>) -> Self {
        Self { reason: reason.name(), rule }
    }

    /// Reads what a row says; schema 3 wrote the reason or the rule alone.
    pub(crate) fn parse(text: &'a str) -> Self {
        match text.split_once('/') {
            Some((reason, rule)) => Self { reason, rule: Some(rule) },
            None if DestructionReason::from_name(text).is_ok() => Self { reason: text, rule: None },
            None => Self { reason: DestructionReason::RetentionRule.name(), rule: Some(text) },
        }
    }
}

impl std::fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "{}/{rule}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_reads_back_and_so_do_those_of_older_rows() {
        let both = Cause::new(DestructionReason::Withdrawal, Some("vs-1-withdrawal"));
        assert_eq!(Cause::parse(&both.to_string()), both);
        let alone = Cause::new(DestructionReason::Withdrawal, None);
        assert_eq!(Cause::parse("withdrawal"), alone);
        assert_eq!(alone.to_string(), "withdrawal");
        let rule = Cause::new(DestructionReason::RetentionRule, Some("wb-4-audit-log"));
        assert_eq!(Cause::parse("wb-4-audit-log"), rule);
    }
}
