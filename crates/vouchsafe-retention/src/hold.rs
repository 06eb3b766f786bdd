use std::fmt;

use vouchsafe_types::{DataClass, Timestamp};

use crate::{Authority, RetentionError};

/// A legal hold: while it is in force and honoured, what it covers is not destroyed.
///
/// Whom it covers is the caller's to know: `decide` is given the holds that cover the person.
///
/// ```
/// use vouchsafe_retention::{Authority, Hold, HoldId};
///
/// let placed = "2026-03-01T00:00:00Z".parse()?;
/// let hold = Hold::place(HoldId::from_bytes([7; 16]), "il-2026-104", Authority::Warrant, placed, ["key-a", "key-b"])?;
/// assert!(hold.in_force(placed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    id: HoldId,
    matter: String,
    authority: Authority,
    class: Option<DataClass>,
    placed_at: Timestamp,
    expires: Option<Timestamp>,
    released_at: Option<Timestamp>,
    approvers: [String; 2],
}

impl Hold {
    /// Places a hold on every class of data, without an end.
    ///
    /// `matter` names the case, opaquely: 1 to 64 bytes of `a-z`, `0-9`, `.`, `-`. `approvers` are the key ids of two
    /// different people: 1 to 64 printable ASCII characters each.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] with what is wrong.
    pub fn place(
        id: HoldId,
        matter: &str,
        authority: Authority,
        placed_at: Timestamp,
        approvers: [&str; 2],
    ) -> Result<Self, RetentionError> {
        let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        if !(1..=64).contains(&matter.len()) || !matter.bytes().all(alphabet) {
            return Err(RetentionError::Hold(HoldFault::Matter));
        }
        let named = |id: &str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        if !approvers.iter().all(|id| named(id)) {
            return Err(RetentionError::Hold(HoldFault::Approver));
        }
        let [first, second] = approvers;
        if first == second {
            return Err(RetentionError::Hold(HoldFault::SameApprover));
        }
        let (matter, approvers) = (matter.to_owned(), approvers.map(str::to_owned));
        let (class, expires, released_at) = (None, None, None);
        Ok(Self { id, matter, authority, class, placed_at, expires, released_at, approvers })
    }

    /// Holds this class only.
    #[must_use]
    pub fn of_class(self, class: DataClass) -> Self {
        Self { class: Some(class), ..self }
    }

    /// Ends by itself at this instant.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] when that is not after it was placed.
    pub fn expiring(self, at: Timestamp) -> Result<Self, RetentionError> {
        if at <= self.placed_at {
            return Err(RetentionError::Hold(HoldFault::Instants));
        }
        Ok(Self { expires: Some(at), ..self })
    }

    /// Was released at this instant.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] when that is before it was placed.
    pub fn released(self, at: Timestamp) -> Result<Self, RetentionError> {
        if at < self.placed_at {
            return Err(RetentionError::Hold(HoldFault::Instants));
        }
        Ok(Self { released_at: Some(at), ..self })
    }

    /// Its id.
    pub const fn id(&self) -> HoldId {
        self.id
    }

    /// The case, opaquely.
    pub fn matter(&self) -> &str {
        &self.matter
    }

    /// By whose authority.
    pub const fn authority(&self) -> Authority {
        self.authority
    }

    /// The only class it covers; `None` for every class.
    pub const fn class(&self) -> Option<DataClass> {
        self.class
    }

    /// When it was placed.
    pub const fn placed_at(&self) -> Timestamp {
        self.placed_at
    }

    /// When it ends by itself.
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// When it was released.
    pub const fn released_at(&self) -> Option<Timestamp> {
        self.released_at
    }

    /// The key ids of the two who approved it.
    pub fn approvers(&self) -> [&str; 2] {
        self.approvers.each_ref().map(String::as_str)
    }

    /// When it ends or ended; `None` while that is open.
    pub fn ends(&self) -> Option<Timestamp> {
        [self.expires, self.released_at].into_iter().flatten().min()
    }

    /// Whether it is in force: placed, and neither expired nor released.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.placed_at <= now && self.ends().is_none_or(|end| now < end)
    }

    /// Whether it covers records of this class.
    pub fn covers(&self, class: DataClass) -> bool {
        self.class.is_none_or(|only| only == class)
    }
}

/// A hold's name: 16 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldId([u8; 16]);

impl HoldId {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what [`Display`](fmt::Display) wrote: 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] for any other text.
    pub fn parse(text: &str) -> Result<Self, RetentionError> {
        let malformed = RetentionError::Hold(HoldFault::Id);
        let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(lower) {
            return Err(malformed);
        }
        u128::from_str_radix(text, 16).map(|value| Self(value.to_be_bytes())).map_err(|_| malformed)
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What is wrong with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldFault {
    /// An approver's id is empty, too long or not printable.
    Approver,
    /// No authority is named, or one that this version does not know.
    Authority,
    /// The id is not 32 hexadecimal digits.
    Id,
    /// It ends before it was placed.
    Instants,
    /// The matter is empty, too long or outside its alphabet.
    Matter,
    /// One approver stands twice.
    SameApprover,
}

impl fmt::Display for HoldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approver => "approver is empty, longer than 64 bytes or not printable",
            Self::Authority => "no authority is named, or an unknown one",
            Self::Id => "id is not 32 hexadecimal digits",
            Self::Instants => "it ends before it was placed",
            Self::Matter => "matter is empty, longer than 64 bytes or outside a-z, 0-9, '.', '-'",
            Self::SameApprover => "one approver stands twice",
        })
    }
}
