//! Pipelines right and wrong.

mod drafts;
mod plans;
mod wrong_files;

use longshore_schemas::StageName;

use super::problem::Problems;
use super::{Pipeline, Registered, read};

const ORDERS: &str = include_str!("../../../../examples/orders/orders.yaml");

const REGISTERED: Registered<'_> = Registered {
    handlers: &["split_order", "price_line", "supply_line"],
    gathers: &["settle_order"],
    items: &["Order"],
    when,
};

/// Stands in for the coordinator's rule language.
fn when(text: &str, of: &[StageName]) -> Result<(), String> {
    match text {
        "all_ended" | "any_done" => Ok(()),
        _ => Err(format!("no rule over {} stages", of.len())),
    }
}

fn orders(text: &str) -> Result<Pipeline, Problems> {
    read("orders.yaml", text, &REGISTERED)
}
