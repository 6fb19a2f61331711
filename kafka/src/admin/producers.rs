//! Who holds a transaction open in a partition: DescribeProducers (KIP-664), which librdkafka 2.12
//! doesn't offer. One request, asked of the partition's leader by a connection of its own, and only
//! where that needs neither TLS nor SASL.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use longshore_schemas::TopicName;

use crate::{Offset, Partition};

const DESCRIBE_PRODUCERS: i16 = 61;
const VERSION: i16 = 0;
/// Any number: one request is in flight.
const CORRELATION: i32 = 1;
/// One piece of the exchange.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer at most: a producer takes about 40 bytes, and a broker forgets those that are idle.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// A transaction that is open in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenTransaction {
    /// Who opened it: what the broker calls a transactional id's producer.
    pub producer_id: i64,
    /// How often that one was begun anew.
    pub producer_epoch: i32,
    /// Its first record in this partition.
    pub first_offset: Offset,
    /// When it last wrote there, in milliseconds since 1970.
    pub last_written: i64,
}

/// Asks the leader, which is at `address` (`host:port`).
pub(super) fn open_transactions(
    address: (&str, u16),
    topic: &TopicName,
    partition: Partition,
) -> io::Result<Vec<OpenTransaction>> {
    let address = address.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| invalid("the broker's name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&request(topic, partition))?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if size > ANSWER_BYTES_MAX {
        return Err(invalid("the answer is too long"));
    }
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer)?;
    parse(&answer)
}

/// The request with its header (version 2) and its length before it. A compact length is one more
/// than what it counts; a zero behind a structure says that it has no tagged fields.
fn request(topic: &TopicName, Partition(partition): Partition) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(DESCRIBE_PRODUCERS.to_be_bytes());
    body.extend(VERSION.to_be_bytes());
    body.extend(CORRELATION.to_be_bytes());
    // No client id, no tagged fields.
    body.extend((-1_i16).to_be_bytes());
    body.push(0);
    // One topic.
    body.push(2);
    compact_length(&mut body, topic.as_str().len());
    body.extend(topic.as_str().as_bytes());
    // One partition.
    body.push(2);
    body.extend(partition.to_be_bytes());
    body.extend([0, 0]);
    // A topic's name has at most 249 bytes.
    let length = i32::try_from(body.len()).unwrap_or(i32::MAX);
    [&length.to_be_bytes()[..], &body].concat()
}

fn compact_length(bytes: &mut Vec<u8>, length: usize) {
    let mut left = length + 1;
    while left > 0x7f {
        bytes.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn parse(answer: &[u8]) -> io::Result<Vec<OpenTransaction>> {
    let mut fields = Fields(answer);
    if fields.i32()? != CORRELATION {
        return Err(invalid("the answer is to another request"));
    }
    fields.tags()?;
    let _throttle_millis = fields.i32()?;
    let mut open = Vec::new();
    for _topic in 0..fields.count()? {
        let _name = fields.text()?;
        for _partition in 0..fields.count()? {
            let (_index, code, message) = (fields.i32()?, fields.i16()?, fields.text()?);
            if code != 0 {
                let message = message.unwrap_or_default();
                return Err(invalid(&format!("the broker refused with code {code} {message}")));
            }
            for _producer in 0..fields.count()? {
                open.extend(producer(&mut fields)?);
            }
            fields.tags()?;
        }
        fields.tags()?;
    }
    Ok(open)
}

/// A producer that wrote to the partition of late; none if it has no transaction open there.
fn producer(fields: &mut Fields<'_>) -> io::Result<Option<OpenTransaction>> {
    let (producer_id, producer_epoch) = (fields.i64()?, fields.i32()?);
    let _last_sequence = fields.i32()?;
    let last_written = fields.i64()?;
    let _coordinator_epoch = fields.i32()?;
    let first_offset = Offset(fields.i64()?);
    fields.tags()?;
    let open = OpenTransaction { producer_id, producer_epoch, first_offset, last_written };
    Ok((first_offset.0 >= 0).then_some(open))
}

/// What is left of an answer.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take(&mut self, count: usize) -> io::Result<&[u8]> {
        let (taken, left) = self.0.split_at_checked(count).ok_or_else(|| invalid("cut off"))?;
        self.0 = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.take(N)?.try_into().map_err(io::Error::other)
    }

    fn i16(&mut self) -> io::Result<i16> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> io::Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> io::Result<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn varint(&mut self) -> io::Result<usize> {
        let mut value = 0;
        for shift in (0..28).step_by(7) {
            let [byte] = self.array()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(invalid("a number is too long"))
    }

    fn count(&mut self) -> io::Result<usize> {
        Ok(self.varint()?.saturating_sub(1))
    }

    fn text(&mut self) -> io::Result<Option<String>> {
        match self.varint()? {
            0 => Ok(None),
            length => self.take(length - 1).map(|it| Some(String::from_utf8_lossy(it).into())),
        }
    }

    fn tags(&mut self) -> io::Result<()> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()?;
            self.take(length)?;
        }
        Ok(())
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer about one partition, with one idle producer and one that holds a transaction.
    fn answer() -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(CORRELATION.to_be_bytes());
        bytes.extend([0, 0, 0, 0, 0]);
        bytes.extend([2, 3, b'i', b'n', 2]);
        bytes.extend(3_i32.to_be_bytes());
        bytes.extend([0, 0, 0, 3]);
        for (id, first) in [(4_001_i64, -1_i64), (4_002, 17)] {
            bytes.extend(id.to_be_bytes());
            bytes.extend(7_i32.to_be_bytes());
            bytes.extend(0_i32.to_be_bytes());
            bytes.extend(1_700_000_000_000_i64.to_be_bytes());
            bytes.extend(0_i32.to_be_bytes());
            bytes.extend(first.to_be_bytes());
            bytes.push(0);
        }
        bytes.extend([0, 0, 0]);
        bytes
    }

    #[test]
    fn those_who_hold_a_transaction_are_told_and_nobody_else() {
        let open = OpenTransaction {
            producer_id: 4_002,
            producer_epoch: 7,
            first_offset: Offset(17),
            last_written: 1_700_000_000_000,
        };
        assert_eq!(parse(&answer()).unwrap(), [open]);
    }

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_an_error() {
        let answer = answer();
        // The last tags of all may be missing: nothing of them is read.
        for length in 0..answer.len() - 1 {
            assert!(parse(&answer[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_refusal_is_told() {
        let mut answer = answer();
        answer[19] = 3;
        let error = parse(&answer).unwrap_err().to_string();
        assert!(error.contains("code 3"), "{error}");
    }

    #[test]
    fn a_long_name_has_its_length_in_two_bytes() {
        let topic = TopicName::from("t".repeat(200));
        let request = request(&topic, Partition(3));
        assert_eq!(request[..4], (request.len() as i32 - 4).to_be_bytes());
        assert_eq!(request[16..18], [0xc9, 0x01]);
    }
}
