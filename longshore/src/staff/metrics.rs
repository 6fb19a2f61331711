//! What a process counts, read from its `/metrics`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Add;
use std::time::Duration;

/// A process that is killed at this moment must not hold its owner up.
const PATIENCE: Duration = Duration::from_millis(500);

/// Counters of a process, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Items that have ended, in all stages.
    pub items: u64,
    /// Attempts that failed and were tried again.
    pub retries: u64,
    /// Transactions committed.
    pub committed: u64,
    /// Transactions that ended otherwise.
    pub aborted: u64,
    /// Of those, transactions of which it wasn't known at first how they ended.
    pub unknown: u64,
    /// Items that were begun and given back unfinished.
    pub discarded: u64,
}

impl Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            items: self.items + other.items,
            retries: self.retries + other.retries,
            committed: self.committed + other.committed,
            aborted: self.aborted + other.aborted,
            unknown: self.unknown + other.unknown,
            discarded: self.discarded + other.discarded,
        }
    }
}

/// Reads the counters of a process; none if it doesn't answer.
pub fn read(admin: SocketAddr) -> Option<Counters> {
    let text = get_metrics(admin).ok()?;
    Some(counters(&text))
}

/// HTTP/1.0, whose answer ends with the connection.
fn get_metrics(admin: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn counters(text: &str) -> Counters {
    let all = sum(text, "longshore_transactions_total", "");
    let committed = sum(text, "longshore_transactions_total", r#"outcome="committed""#);
    let unknown = sum(text, "longshore_transactions_total", r#"outcome="unknown""#);
    let retries = sum(text, "longshore_retries_total", "");
    let discarded = sum(text, "longshore_discarded_items_total", "");
    let items = sum(text, "longshore_items_total", "");
    Counters { items, retries, committed, aborted: all - committed, unknown, discarded }
}

/// The sum over the series of a metric that carry a label; the empty label is carried by all.
fn sum(text: &str, metric: &str, label: &str) -> u64 {
    let value = |line: &str| {
        let series = line.strip_prefix(metric)?;
        let (labels, value) = series.rsplit_once(' ')?;
        let is_it = labels.is_empty() || labels.starts_with('{');
        value.parse::<u64>().ok().filter(|_| is_it && labels.contains(label))
    };
    text.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_the_lanes_of_a_process() {
        let text = "\
# TYPE longshore_retries_total counter
longshore_retries_total{lane=\"price\",class=\"busy\"} 7
longshore_retries_total{lane=\"supply\",class=\"timeout\"} 1
longshore_retries_total_of_others 100
longshore_transactions_total{lane=\"price\",outcome=\"committed\"} 20
longshore_transactions_total{lane=\"price\",outcome=\"aborted\"} 2
longshore_transactions_total{lane=\"split\",outcome=\"committed\"} 10
longshore_transactions_total{lane=\"split\",outcome=\"unknown\"} 1
longshore_discarded_items_total{lane=\"split\"} 4
longshore_items_total{lane=\"split\",outcome=\"done\"} 90
longshore_items_total{lane=\"split\",outcome=\"failed\"} 5
";
        let expected =
            Counters { items: 95, retries: 8, committed: 30, aborted: 3, unknown: 1, discarded: 4 };
        assert_eq!(counters(text), expected);
        assert_eq!(counters(""), Counters::default());
    }
}
