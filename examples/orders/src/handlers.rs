//! The handlers of order settlement, in data's way. They know nothing of Kafka.

use std::time::Duration;

use longshore::prelude::*;

use crate::faults::{Fault, Faults};
use crate::items::{LineItem, Order, PricedLine, SettledOrder, SuppliedLine};

/// Splits an order into its lines.
#[derive(Clone, Debug)]
pub struct SplitOrder {
    /// What goes wrong.
    pub faults: Faults,
}

impl Handler for SplitOrder {
    type Item = Order;

    async fn handle(&self, order: Order, _: &Context) -> Result<Outcome, HandlerError> {
        let mut parts = FanOut::new().expecting(Expect::Count(order.lines.len() as u32));
        for (part, line) in (0..).map(PartId).zip(&order.lines) {
            let copies = match self.faults.of(line.order_key, line.line_number) {
                Some(Fault::Dropped) => 0,
                Some(Fault::Duplicate) => 2,
                _ => 1,
            };
            // A key of its own for each line: lines of an order don't wait for one another.
            let key = format!("{}/{}", line.order_key, line.line_number);
            for _ in 0..copies {
                parts.push(part, Output::of(line)?.keyed(key.clone()));
            }
        }
        Ok(Outcome::fan_out(parts))
    }
}

/// Prices a line.
#[derive(Clone, Debug)]
pub struct PriceLine {
    /// What goes wrong.
    pub faults: Faults,
}

impl Handler for PriceLine {
    type Item = LineItem;

    async fn handle(&self, line: LineItem, cx: &Context) -> Result<Outcome, HandlerError> {
        match self.faults.of(line.order_key, line.line_number) {
            Some(Fault::Poison) => {
                return Err(HandlerError::permanent("unpriceable", "no price can be found"));
            }
            Some(Fault::Transient) if cx.attempt <= 2 => {
                return Err(HandlerError::transient("busy", "the price list is busy"));
            }
            Some(Fault::Slow) => tokio::time::sleep(Duration::from_millis(500)).await,
            _ => {}
        }
        Outcome::done(&PricedLine { line_number: line.line_number, price: price(&line) })
    }
}

/// The price of a line in cents. TPC-H's generator truncates after the discount and after the tax.
fn price(line: &LineItem) -> i64 {
    line.extended_price * (100 - line.discount) / 100 * (100 + line.tax) / 100
}

/// Checks whether a line is fulfilled.
#[derive(Clone, Debug)]
pub struct SupplyLine {
    /// What goes wrong.
    pub faults: Faults,
}

impl Handler for SupplyLine {
    type Item = LineItem;

    async fn handle(&self, line: LineItem, _: &Context) -> Result<Outcome, HandlerError> {
        if self.faults.of(line.order_key, line.line_number) == Some(Fault::Late) {
            tokio::time::sleep(self.faults.late_after()).await;
        }
        Outcome::done(&SuppliedLine { line_number: line.line_number, status: line.status })
    }
}

/// Puts an order together again.
#[derive(Clone, Debug)]
pub struct SettleOrder;

impl Handler for SettleOrder {
    type Item = Group;

    async fn handle(&self, order: Group, _: &Context) -> Result<Outcome, HandlerError> {
        let priced = order.decode::<PricedLine>("price")?;
        let supplied = order.decode::<SuppliedLine>("supply")?;
        let fulfilled = supplied.iter().filter(|(_, line)| line.status == "F").count();
        let status = match fulfilled {
            0 => "O",
            all if all == supplied.len() => "F",
            _ => "P",
        };
        Outcome::done(&SettledOrder {
            total_price: priced.iter().map(|(_, line)| line.price).sum(),
            status: status.to_owned(),
            priced: priced.len() as i32,
            supplied: supplied.len() as i32,
        })
    }
}
