use crate::{DataClass, TypeError};

/// A fact about a person that is stored as they or the organisation gave it. The list is closed: what is not here is
/// not kept. There is no field for card data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FactField {
    /// Billing address.
    BillingAddress,
    /// Billing name.
    BillingName,
    /// A city, from which impossible travel is told; never anything more precise.
    City,
    /// User agent, screen and camera.
    Device,
    /// E-mail address.
    Email,
    /// Name.
    Name,
    /// The name of the person's own organisation.
    OrganisationName,
    /// Pages and time spent.
    Pages,
    /// bcrypt hash of the password.
    PasswordHash,
    /// The page that led here.
    Referrer,
    /// A message to support or sales.
    SupportMessage,
    /// Transaction metadata: amount, date, the payment processor's own reference.
    Transaction,
}

impl FactField {
    /// Every field, in the order of its code.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Email,
        Self::OrganisationName,
        Self::PasswordHash,
        Self::BillingName,
        Self::BillingAddress,
        Self::Transaction,
        Self::SupportMessage,
        Self::Pages,
        Self::Referrer,
        Self::Device,
        Self::City,
    ];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Name => 1,
            Self::Email => 2,
            Self::OrganisationName => 3,
            Self::PasswordHash => 4,
            Self::BillingName => 5,
            Self::BillingAddress => 6,
            Self::Transaction => 7,
            Self::SupportMessage => 8,
            Self::Pages => 9,
            Self::Referrer => 10,
            Self::Device => 11,
            Self::City => 12,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|field| field.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in exports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::OrganisationName => "organisation_name",
            Self::PasswordHash => "password_hash",
            Self::BillingName => "billing_name",
            Self::BillingAddress => "billing_address",
            Self::Transaction => "transaction",
            Self::SupportMessage => "support_message",
            Self::Pages => "pages",
            Self::Referrer => "referrer",
            Self::Device => "device",
            Self::City => "city",
        }
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|field| field.name() == name).ok_or(TypeError::UnknownCode)
    }

    /// The class of data that the field belongs to, and whose retention rule applies.
    pub const fn class(self) -> DataClass {
        match self {
            Self::Name | Self::Email | Self::OrganisationName | Self::PasswordHash => DataClass::Account,
            Self::BillingName | Self::BillingAddress | Self::Transaction => DataClass::Billing,
            Self::SupportMessage => DataClass::Support,
            Self::Pages | Self::Referrer | Self::Device | Self::City => DataClass::Usage,
        }
    }

    /// Whether a later value replaces the earlier one; the others accumulate.
    pub const fn is_single(self) -> bool {
        matches!(self.class(), DataClass::Account | DataClass::Billing) && !matches!(self, Self::Transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_distinct_and_read_back() {
        for (i, field) in FactField::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(field.code()), i + 1);
            assert_eq!(FactField::from_code(field.code()), Ok(field));
            assert_eq!(FactField::parse(field.name()), Ok(field));
        }
    }

    /// Promise: FP-2c-no-cards
    #[test]
    fn no_field_and_no_class_is_for_card_data() {
        let names =
            FactField::ALL.map(FactField::name).into_iter().chain(DataClass::ALL.map(DataClass::name));
        for name in names {
            assert!(
                !["card", "pan", "cvv", "cvc"].iter().any(|word| name.split('_').any(|part| part == *word)),
                "{name}"
            );
        }
    }
}
