use super::ReceiptFacts;
use crate::{ConsentError, ConsentStatus, ExpressionKind};

const STYLE: &str = "body{font:1rem/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111;\
    background:#fff}th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}td{overflow-wrap:anywhere}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid #555;padding:1rem}";

/// The receipt as one self-contained page for people: no scripts, nothing loaded from elsewhere, every text escaped.
///
/// # Errors
/// [`ConsentError::NoticeChanged`] when `shown` is not what the notice describes; otherwise as
/// [`Iso27560::new`](super::Iso27560::new).
pub fn html(facts: &ReceiptFacts<'_>, shown: &[u8]) -> Result<String, ConsentError> {
    let newest = facts.newest()?;
    if !facts.notice.matches(shown) {
        return Err(ConsentError::NoticeChanged);
    }
    let shown = std::str::from_utf8(shown).map_err(|_| ConsentError::NoticeChanged)?;
    let page = [
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n".to_owned(),
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            .to_owned(),
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n".to_owned(),
        format!("<title>Receipt of consent</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"),
        format!("<h1>Receipt of consent</h1>\n<p>{}</p>\n", sentence(newest.status)),
        section("What it is for", &about(facts)),
        section("What happened", &events(facts)),
        section("How to withdraw", &format!("<p>{}</p>\n", linked(facts.withdraw))),
        section("How to verify this receipt", &verify(facts, &facts.record_id(newest))),
        section("What was shown", &text(facts, shown)),
        "</main>\n</body>\n</html>\n".to_owned(),
    ];
    Ok(page.concat())
}

const fn sentence(status: ConsentStatus) -> &'static str {
    match status {
        ConsentStatus::Expired => "The term of this consent is over. Nothing may be done under it any more.",
        ConsentStatus::Given => "You gave consent. You may withdraw it at any time.",
        ConsentStatus::Invalidated => "This consent was found invalid. Nothing may be done under it.",
        ConsentStatus::Refused => "You declined to consent. Nothing may be done.",
        ConsentStatus::Renewed => "You renewed your consent. You may withdraw it at any time.",
        ConsentStatus::Revoked => {
            "The organisation ended this consent. Nothing may be done under it any more."
        }
        ConsentStatus::Withdrawn => "You withdrew your consent. Nothing may be done under it any more.",
    }
}

const fn method(kind: ExpressionKind) -> &'static str {
    match kind {
        ExpressionKind::Checkbox => "a ticked box",
        ExpressionKind::PasskeySigned => "a passkey signature",
        ExpressionKind::TypedSignature => "a typed signature",
    }
}

fn about(facts: &ReceiptFacts<'_>) -> String {
    let (notice, terms) = (facts.notice, facts.notice.terms());
    let mut rows = vec![("Organisation", facts.organisation.as_str().to_owned())];
    if let Some(controller) = facts.controller {
        rows.push(("Name", controller.name.to_owned()));
        rows.push(("Address", controller.address.to_owned()));
        rows.push(("Contact", controller.contact.to_owned()));
    }
    rows.push(("Scope", facts.scope.name()));
    if let Some(terms) = terms {
        rows.push(("What is collected", terms.collected().as_str().to_owned()));
        rows.push(("Purpose", terms.purpose().as_str().to_owned()));
        let (words, period) = (terms.term().passage().as_str(), terms.term().period());
        rows.push(("For how long", period.map_or(words.to_owned(), |period| format!("{words} ({period})"))));
        rows.push(("Release", terms.release().passage().as_str().to_owned()));
        rows.push(("Retention schedule, SHA-256", terms.schedule().digest().to_string()));
    }
    rows.push(("Notice", format!("{}, version {}, {}", notice.id(), notice.version(), notice.locale())));
    table(&rows)
}

fn events(facts: &ReceiptFacts<'_>) -> String {
    let items = facts.events.iter().map(|event| {
        let how = event.method.map(|kind| format!(" by {}", method(kind))).unwrap_or_default();
        let until = event.expires.map(|end| format!(", until {end} at the latest")).unwrap_or_default();
        format!("<li>{}: consent {}{how}{until} (log entry {})</li>\n", event.at, event.status, event.entry)
    });
    format!("<ol>\n{}</ol>\n", items.collect::<String>())
}

fn verify(facts: &ReceiptFacts<'_>, record: &str) -> String {
    let rows = [("Log entry", record.to_owned()), ("Text shown, SHA-256", facts.notice.digest().to_string())];
    let words = "The receipt names nobody. It is yours because you hold the opening of its log entry; keep the two \
        together. You need the log's public key, and neither the organisation nor a network.";
    format!("<p>{words}</p>\n<p>{}</p>\n{}", escaped(facts.verify), table(&rows))
}

fn text(facts: &ReceiptFacts<'_>, shown: &str) -> String {
    // A parser drops one line break after the opening tag; this one keeps the text whole.
    format!("<pre lang=\"{}\" tabindex=\"0\">\n{}</pre>\n", escaped(facts.notice.locale()), escaped(shown))
}

fn section(heading: &str, body: &str) -> String {
    format!("<section>\n<h2>{heading}</h2>\n{body}</section>\n")
}

fn table(rows: &[(&str, String)]) -> String {
    let row = |(name, value): &(&str, String)| {
        format!("<tr><th scope=\"row\">{name}</th><td>{}</td></tr>\n", escaped(value))
    };
    format!("<table>\n{}</table>\n", rows.iter().map(row).collect::<String>())
}

fn linked(text: &str) -> String {
    let escaped = escaped(text);
    let address = text.starts_with("https://") && text.bytes().all(|b| b.is_ascii_graphic());
    if address { format!("<a href=\"{escaped}\" rel=\"noreferrer\">{escaped}</a>") } else { escaped }
}

/// Text that stays text, in an element and in a quoted attribute. A carriage return is written as a reference, since a
/// parser would turn it into a line feed; U+0000 cannot stand in a page at all and is shown as U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\0' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}
