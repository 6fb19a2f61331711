//! What travels between the stages; the schema files are the truth.

use longshore::prelude::*;
use serde::{Deserialize, Serialize};

/// An order with its lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its number.
    pub order_key: i64,
    /// Who ordered.
    pub customer_key: i64,
    /// What the input says of it: F, O or P. The handlers don't read it.
    pub status: String,
    /// What the input says it costs, in cents. The handlers don't read it.
    pub total_price: i64,
    /// Its lines.
    pub lines: Vec<LineItem>,
}

impl WorkItem for Order {
    const SCHEMA: &'static str = include_str!("../schemas/order.avsc");
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineItem {
    /// The order that it belongs to.
    pub order_key: i64,
    /// 1, 2, ... within the order.
    pub line_number: i32,
    /// What was ordered.
    pub part_key: i64,
    /// From whom.
    pub supplier_key: i64,
    /// How many.
    pub quantity: i64,
    /// What they cost, in cents, before discount and tax.
    pub extended_price: i64,
    /// In percent.
    pub discount: i64,
    /// In percent.
    pub tax: i64,
    /// F if it is fulfilled, O if it is open.
    pub status: String,
}

impl WorkItem for LineItem {
    const SCHEMA: &'static str = include_str!("../schemas/line_item.avsc");
}

/// What a line costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PricedLine {
    /// The line.
    pub line_number: i32,
    /// In cents, discount and tax included.
    pub price: i64,
}

impl WorkItem for PricedLine {
    const SCHEMA: &'static str = include_str!("../schemas/priced_line.avsc");
}

/// Whether a line is fulfilled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuppliedLine {
    /// The line.
    pub line_number: i32,
    /// F if it is, O if it is still open.
    pub status: String,
}

impl WorkItem for SuppliedLine {
    const SCHEMA: &'static str = include_str!("../schemas/supplied_line.avsc");
}

/// An order put together again from its lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledOrder {
    /// Of the lines that were priced, in cents.
    pub total_price: i64,
    /// F if every supplied line is, O if none is, P otherwise.
    pub status: String,
    /// Lines that were priced.
    pub priced: i32,
    /// Lines that were checked for supply.
    pub supplied: i32,
}

impl WorkItem for SettledOrder {
    const SCHEMA: &'static str = include_str!("../schemas/settled_order.avsc");
}
