//! What a run must come to, computed from the input and the faults before it starts.

use std::collections::{BTreeMap, BTreeSet};

use tpchgen::generators::{LineItemGenerator, OrderGenerator};

use crate::faults::{Fault, Faults};

/// Order key and line number.
pub type Line = (i64, i32);

/// What every order must come to.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// By order key.
    pub orders: BTreeMap<i64, ExpectedOrder>,
    /// Lines whose pricing is dead-lettered.
    pub dead_letters: BTreeSet<Line>,
    /// Lines whose supply check comes after its order was closed.
    pub late: BTreeSet<Line>,
}

/// What an order must come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedOrder {
    /// The column `o_totalprice`, in cents.
    pub total_price: i64,
    /// The column `o_orderstatus`.
    pub status: String,
    /// How many lines it has.
    pub lines: u32,
    /// Lines that fail to be priced.
    pub failed: u32,
    /// Lines that are published twice.
    pub duplicated: u32,
    /// Parts that are missing at the deadline: stage, and the line's place in the order from 0.
    pub missing: BTreeSet<(&'static str, u32)>,
}

impl ExpectedOrder {
    /// Whether nothing goes wrong with it for good.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.missing.is_empty()
    }
}

impl Expected {
    /// What orders of this scale factor come to under these faults.
    pub fn of(scale: f64, faults: Faults) -> Self {
        let mut expected = Self::default();
        for order in OrderGenerator::new(scale, 1, 1) {
            let columns = ExpectedOrder {
                total_price: order.o_totalprice.0,
                status: order.o_orderstatus.to_string(),
                ..ExpectedOrder::default()
            };
            expected.orders.insert(order.o_orderkey, columns);
        }
        for line in LineItemGenerator::new(scale, 1, 1) {
            expected.add_line((line.l_orderkey, line.l_linenumber), faults);
        }
        expected
    }

    fn add_line(&mut self, line: Line, faults: Faults) {
        let (order_key, line_number) = line;
        let order = self.orders.entry(order_key).or_default();
        order.lines += 1;
        let part = line_number.unsigned_abs() - 1;
        match faults.of(order_key, line_number) {
            Some(Fault::Poison) => {
                order.failed += 1;
                self.dead_letters.insert(line);
            }
            Some(Fault::Duplicate) => order.duplicated += 1,
            Some(Fault::Dropped) => order.missing.extend([("price", part), ("supply", part)]),
            Some(Fault::Late) => {
                order.missing.insert(("supply", part));
                self.late.insert(line);
            }
            Some(Fault::Transient | Fault::Slow) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_hundredth_of_the_benchmark_is_fifteen_thousand_orders() {
        let expected = Expected::of(0.01, Faults::none());
        assert_eq!(expected.orders.len(), 15_000);
        assert_eq!(expected.orders.values().map(|order| order.lines).sum::<u32>(), 60_175);
        assert!(expected.orders.values().all(ExpectedOrder::is_complete));
    }

    #[test]
    fn every_fault_is_expected_where_it_shows() {
        let expected = Expected::of(0.01, Faults::seeded(42, Duration::from_secs(10)));
        let missing: usize = expected.orders.values().map(|order| order.missing.len()).sum();
        let failed: u32 = expected.orders.values().map(|order| order.failed).sum();
        assert_eq!(failed as usize, expected.dead_letters.len());
        assert!(failed > 50 && !expected.late.is_empty() && missing > expected.late.len());
    }
}
