use crate::StoreError;

/// What a statement is run with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    /// The code of a scope.
    Code([u8; 3]),
    /// An integer that no column can hold.
    Beyond,
}

/// What runs the statements of one transaction.
pub(crate) trait Engine {
    /// Returns: how many rows it changed.
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError>;

    /// Gives each row in turn.
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Columns) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A row as its engine gives it; a column of another type than asked for is [`StoreError::Damaged`].
pub(crate) trait Columns {
    fn int(&self, at: usize) -> Result<Option<i64>, StoreError>;
    fn text(&self, at: usize) -> Result<Option<&str>, StoreError>;
    fn blob(&self, at: usize) -> Result<Option<&[u8]>, StoreError>;
}

/// A value that a column can hold.
pub(crate) trait Column: Sized {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError>;
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value<'_> {
            fn from(value: $integer) -> Self {
                i64::try_from(value).map_or(Self::Beyond, Self::Int)
            }
        }

        impl Column for $integer {
            fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
                row.int(at)?.map(|value| Self::try_from(value).map_err(|_| StoreError::Damaged)).transpose()
            }
        }
    )*};
}

integers!(i64 u64 u32 u16 u8);

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl Column for bool {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.int(at)?.map(|value| value != 0))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl Column for String {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.text(at)?.map(str::to_owned))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl From<[u8; 3]> for Value<'_> {
    fn from(value: [u8; 3]) -> Self {
        Self::Code(value)
    }
}

impl Column for Vec<u8> {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
        Ok(row.blob(at)?.map(<[u8]>::to_vec))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
        row.blob(at)?.map(|bytes| bytes.try_into().map_err(|_| StoreError::Damaged)).transpose()
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(row: &dyn Columns, at: usize) -> Result<Option<Self>, StoreError> {
        T::read(row, at).map(Some)
    }
}

/// The values of a statement, in the order of its placeholders: the organisation first.
macro_rules! values {
    ($($value:expr),* $(,)?) => { [$($crate::sql::Value::from($value)),*] };
}
pub(crate) use values;
