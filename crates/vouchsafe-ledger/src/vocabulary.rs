/// A closed vocabulary, each word written once: variant, stable code, stable name. In the order of the codes.
macro_rules! vocabulary {
    (
        $(#[$about:meta])*
        $word:ident: $code:ty, else $error:ident;
        $($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)+
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $word {
            $($(#[$doc])* $variant,)+
        }

        impl $word {
            /// Every word, in the order of its code.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> $code {
                match self {
                    $(Self::$variant => $number,)+
                }
            }

            /// The stable name used in exports and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Reads a code back.
            ///
            /// # Errors
            #[doc = concat!("[`LedgerError::", stringify!($error), "`](crate::LedgerError::", stringify!($error), ")")]
            /// for a code outside the vocabulary.
            pub const fn from_code(code: $code) -> Result<Self, $crate::LedgerError> {
                match code {
                    $($number => Ok(Self::$variant),)+
                    _ => Err($crate::LedgerError::$error),
                }
            }

            /// Reads a name back.
            ///
            /// # Errors
            /// [`LedgerError::WordUnknown`](crate::LedgerError::WordUnknown) for a name outside the vocabulary.
            pub fn from_name(name: &str) -> Result<Self, $crate::LedgerError> {
                match name {
                    $($name => Ok(Self::$variant),)+
                    _ => Err($crate::LedgerError::WordUnknown),
                }
            }
        }
    };
}

pub(crate) use vocabulary;
