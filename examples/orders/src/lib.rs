//! Order settlement: orders are split into lines, each line is priced and checked for supply, and
//! the lines of an order are gathered into one settled order.
//!
//! Reading order: the items, the faults that the demo injects, the handlers, and the verification,
//! which shares nothing with the handlers but the input and the faults.

pub mod faults;
pub mod handlers;
pub mod items;
pub mod verify;

use longshore::Fleet;

use faults::Faults;
use handlers::{PriceLine, SettleOrder, SplitOrder, SupplyLine};

/// The pipeline file of the demo.
pub const PIPELINE: &str = include_str!("../orders.yaml");

/// A fleet with the handlers of order settlement, and these faults in its lines.
pub fn fleet(faults: Faults) -> Fleet {
    Fleet::new()
        .item::<items::Order>("Order")
        .handler("split_order", SplitOrder { faults })
        .handler("price_line", PriceLine { faults })
        .handler("supply_line", SupplyLine { faults })
        .handler("settle_order", SettleOrder)
}
