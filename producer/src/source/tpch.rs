//! The orders of TPC-H, each with its line items: deterministic, and never the same order twice.
//!
//! TPC-H derived; comments, dates and names are left out.

use std::iter::Peekable;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    LineItem, LineItemGenerator, LineItemGeneratorIterator, Order, OrderGenerator,
    OrderGeneratorIterator,
};
use tpchgen::text::TextPool;

use super::{Entry, Place, Polled, Source, SourceError};

/// Below it there are too few customers and suppliers to choose from.
const SCALE_MIN: f64 = 0.001;
/// 1.5 billion orders.
const SCALE_MAX: f64 = 1000.0;

/// Bytes of text that comments are cut from: a page instead of the generator's 300 MB, for nobody
/// sees them, and no other column depends on them.
const TEXT_BYTES: i32 = 1 << 16;

static TEXT: LazyLock<TextPool> =
    LazyLock::new(|| TextPool::new(TEXT_BYTES, Distributions::static_default()));

/// Orders, in the order of their keys.
pub struct TpchOrders {
    orders: OrderGeneratorIterator<'static>,
    lines: Peekable<LineItemGeneratorIterator<'static>>,
    given: u64,
}

impl TpchOrders {
    /// The orders of a scale factor: 1 has 1,500,000.
    ///
    /// # Errors
    /// If the scale is out of range.
    pub fn new(scale: f64) -> Result<Self, SourceError> {
        let (min, max) = (SCALE_MIN, SCALE_MAX);
        if !(min..=max).contains(&scale) {
            return Err(SourceError::Scale { scale, min, max });
        }
        let words = Distributions::static_default();
        let orders =
            OrderGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &TEXT);
        let lines =
            LineItemGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &TEXT);
        Ok(Self { orders: orders.iter(), lines: lines.iter().peekable(), given: 0 })
    }

    /// The next order, and its lines.
    fn next(&mut self) -> Option<(Order<'static>, Vec<LineItem<'static>>)> {
        let order = self.orders.next()?;
        let mut lines = Vec::new();
        while let Some(line) = self.lines.next_if(|it| it.l_orderkey == order.o_orderkey) {
            lines.push(line);
        }
        self.given += 1;
        Some((order, lines))
    }

    fn place(&self) -> Place {
        Place { byte: 0, line: self.given }
    }
}

impl Source for TpchOrders {
    fn resume(&mut self, place: Place) -> Result<(), SourceError> {
        while self.given < place.line {
            if self.next().is_none() {
                let Place { byte, line } = place;
                return Err(SourceError::Shorter { name: "TPC-H orders".to_owned(), line, byte });
            }
        }
        Ok(())
    }

    fn poll(&mut self, _: Duration) -> Result<Polled, SourceError> {
        let Some((order, lines)) = self.next() else { return Ok(Polled::End(self.place())) };
        let json = json(&order, &lines);
        let original = json.to_string().into();
        Ok(Polled::Entry(Entry { place: self.place(), original, content: Ok(json) }))
    }
}

/// An order as `orders.Order` describes it: money in cents, rates in percent.
fn json(order: &Order<'_>, lines: &[LineItem<'_>]) -> Json {
    json!({
        "order_key": order.o_orderkey,
        "customer_key": order.o_custkey,
        "status": order.o_orderstatus.to_string(),
        "total_price": order.o_totalprice.0,
        "lines": lines.iter().map(line_json).collect::<Vec<_>>(),
    })
}

fn line_json(line: &LineItem<'_>) -> Json {
    json!({
        "order_key": line.l_orderkey,
        "line_number": line.l_linenumber,
        "part_key": line.l_partkey,
        "supplier_key": line.l_suppkey,
        "quantity": line.l_quantity,
        "extended_price": line.l_extendedprice.0,
        "discount": line.l_discount.0,
        "tax": line.l_tax.0,
        "status": line.l_linestatus,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::JsonEncoder;

    const ORDER: &str = include_str!("../../../examples/orders/schemas/order.avsc");

    fn all(mut source: TpchOrders) -> Vec<Json> {
        let mut orders = Vec::new();
        while let Polled::Entry(entry) = source.poll(Duration::ZERO).unwrap() {
            orders.push(entry.content.unwrap());
        }
        orders
    }

    #[test]
    fn every_order_has_the_lines_that_its_total_and_status_say() {
        let orders = all(TpchOrders::new(0.01).unwrap());
        assert_eq!(orders.len(), 15_000);
        let mut count = 0;
        for order in &orders {
            let lines = order["lines"].as_array().unwrap();
            count += lines.len();
            let number = |it: &Json, field: &str| it[field].as_i64().unwrap();
            let price = |it: &Json| {
                let discounted =
                    number(it, "extended_price") * (100 - number(it, "discount")) / 100;
                discounted * (100 + number(it, "tax")) / 100
            };
            assert_eq!(lines.iter().map(price).sum::<i64>(), number(order, "total_price"));
            let fulfilled = lines.iter().filter(|it| it["status"] == "F").count();
            let status = match fulfilled {
                0 => "O",
                some if some == lines.len() => "F",
                _ => "P",
            };
            assert_eq!(order["status"], status);
        }
        assert_eq!(count, 60_175);
    }

    #[test]
    fn orders_are_of_the_schema_of_the_example() {
        let encoder = JsonEncoder::new(ORDER).unwrap();
        for order in all(TpchOrders::new(0.001).unwrap()) {
            encoder.encode(&order).unwrap();
        }
    }

    #[test]
    fn text_that_nobody_sees_changes_nothing_else() {
        let full = OrderGenerator::new(0.001, 1, 1);
        let mut ours = TpchOrders::new(0.001).unwrap();
        for order in full.iter() {
            let (our, _) = ours.next().unwrap();
            assert_eq!(our.o_orderkey, order.o_orderkey);
            assert_eq!(our.o_totalprice, order.o_totalprice);
            assert_eq!(our.o_custkey, order.o_custkey);
        }
        assert!(ours.next().is_none());
    }

    #[test]
    fn it_goes_on_behind_any_order() {
        let orders = all(TpchOrders::new(0.001).unwrap());
        for line in [0, 1, 749, 1500] {
            let mut source = TpchOrders::new(0.001).unwrap();
            source.resume(Place { byte: 0, line }).unwrap();
            assert_eq!(all(source), orders[usize::try_from(line).unwrap()..]);
        }
        let error = TpchOrders::new(0.001).unwrap().resume(Place { byte: 0, line: 1501 });
        assert!(matches!(error, Err(SourceError::Shorter { .. })));
    }

    #[test]
    fn a_scale_that_makes_no_sense_is_refused() {
        for scale in [0.0, -1.0, 0.0009, 1000.1, f64::NAN, f64::INFINITY] {
            let error = TpchOrders::new(scale).err().expect("refused");
            assert!(matches!(error, SourceError::Scale { .. }), "{error}");
        }
    }
}
