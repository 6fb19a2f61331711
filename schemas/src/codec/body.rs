//! The check that bytes are exactly one value of a layout, before anything is allocated for it.
//!
//! The Avro library reads a value that ends early as null, takes any count of an array for granted,
//! and leaves what is left over unread. What has passed here holds none of these surprises.

use super::DecodeError;
use super::layout::Layout;

/// A number of seven bits a byte has at most so many: 64 bits.
const NUMBER_BYTES_MAX: usize = 10;

/// Checks that `body`, which ends a message of `len` bytes, is one value of a schema.
pub(super) fn check(
    schema: &'static str,
    layout: &Layout,
    body: &[u8],
    len: usize,
) -> Result<(), DecodeError> {
    let mut walk = Walk { schema, rest: body, len };
    walk.value(layout)?;
    match walk.rest.len() {
        0 => Ok(()),
        bytes => Err(DecodeError::Trailing { bytes }),
    }
}

/// A walk over the bytes of a value, which steps over one field after the other.
struct Walk<'b> {
    schema: &'static str,
    rest: &'b [u8],
    len: usize,
}

impl Walk<'_> {
    fn value(&mut self, layout: &Layout) -> Result<(), DecodeError> {
        match layout {
            Layout::Nothing => Ok(()),
            Layout::Boolean => self.boolean(),
            Layout::Number => self.number().map(drop),
            Layout::Fixed(bytes) => self.skip(*bytes),
            Layout::Sized => self.sized(),
            Layout::Symbol(count) => self.choice(*count).map(drop),
            Layout::Union(branches) => {
                let branch = self.choice(branches.len())?;
                self.value(&branches[branch])
            }
            Layout::Record(fields) => fields.iter().try_for_each(|field| self.value(field)),
            Layout::Items(item) => self.items(item),
        }
    }

    fn items(&mut self, item: &Layout) -> Result<(), DecodeError> {
        loop {
            let count = self.number()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // A negative count is followed by the block's bytes, for those who skip it.
                self.number()?;
            }
            self.block(count.unsigned_abs(), item)?;
        }
    }

    /// Every item takes a byte or more, so a count that passes the bytes left is cut short here.
    fn block(&mut self, count: u64, item: &Layout) -> Result<(), DecodeError> {
        let left = self.rest.len() as u64;
        if count > left {
            return Err(self.truncated(count - left));
        }
        (0..count).try_for_each(|_| self.value(item))
    }

    fn boolean(&mut self) -> Result<(), DecodeError> {
        match self.byte()? {
            0 | 1 => Ok(()),
            other => Err(self.malformed(format!("{other} is not a boolean"))),
        }
    }

    fn sized(&mut self) -> Result<(), DecodeError> {
        let bytes = self.number()?;
        match usize::try_from(bytes) {
            Ok(bytes) => self.skip(bytes),
            Err(_) => Err(self.malformed(format!("{bytes} is not a length"))),
        }
    }

    fn choice(&mut self, count: usize) -> Result<usize, DecodeError> {
        let number = self.number()?;
        match usize::try_from(number) {
            Ok(choice) if choice < count => Ok(choice),
            _ => Err(self.malformed(format!("{number} is not one of {count} choices"))),
        }
    }

    /// Avro's int and long: zigzag, seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<i64, DecodeError> {
        let mut zigzag = 0_u64;
        for place in 0..NUMBER_BYTES_MAX {
            let byte = self.byte()?;
            zigzag |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            }
        }
        Err(self.malformed(format!("a number goes on after {NUMBER_BYTES_MAX} bytes")))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.truncated(1))?;
        self.rest = rest;
        Ok(*byte)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), DecodeError> {
        match self.rest.get(bytes..) {
            Some(rest) => self.rest = rest,
            None => return Err(self.truncated((bytes - self.rest.len()) as u64)),
        }
        Ok(())
    }

    fn truncated(&self, missing: u64) -> DecodeError {
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        DecodeError::Truncated { len: self.len, missing }
    }

    fn malformed(&self, reason: String) -> DecodeError {
        let at = self.len - self.rest.len();
        DecodeError::Malformed {
            schema: self.schema,
            reason: format!("{reason}, before byte {at}"),
        }
    }
}

#[cfg(test)]
mod tests;
