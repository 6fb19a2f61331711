//! Pipelines right and wrong.

mod drafts;
mod plans;
mod wrong_files;

use longshore_handler::Takes;

use super::problem::Problems;
use super::{KnownHandler, KnownItem, Pipeline, Registered, read};

const ORDERS: &str = include_str!("../../../../examples/orders/orders.yaml");

fn registered() -> Registered<'static> {
    let items = ["split_order", "price_line", "supply_line"]
        .map(|name| KnownHandler { name, takes: Takes::Bytes });
    let gather = KnownHandler { name: "settle_order", takes: Takes::Group };
    let of_lines =
        KnownHandler { name: "line_only", takes: Takes::Item { schema: "orders.LineItem" } };
    Registered {
        handlers: items.into_iter().chain([of_lines, gather]).collect(),
        items: vec![KnownItem { name: "Order", schema: "orders.Order" }],
    }
}

fn orders(text: &str) -> Result<Pipeline, Problems> {
    read("orders.yaml", text, &registered())
}
