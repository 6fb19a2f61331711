//! Deposits to accounts: a handler with a planted bug, and one without.
//!
//! `balance` adds deposits up in memory. It passes every test of its own, and every run in which
//! nothing goes wrong. After a crash it begins at zero, and what is handled again it adds again.
//! `longshore chaos` finds it; see `docs/chaos.md`.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use longshore::prelude::*;
use serde::{Deserialize, Serialize};

/// Money for an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Deposit {
    account: String,
    number: i64,
    cents: i64,
}

impl WorkItem for Deposit {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Deposit", "fields": [
        {"name": "account", "type": "string"},
        {"name": "number", "type": "long"},
        {"name": "cents", "type": "long"}
    ]}"#;
}

/// What an account has after a deposit, or what was paid into it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Amount {
    account: String,
    number: i64,
    cents: i64,
}

impl WorkItem for Amount {
    const SCHEMA: &'static str = r#"{"type": "record", "name": "Amount", "fields": [
        {"name": "account", "type": "string"},
        {"name": "number", "type": "long"},
        {"name": "cents", "type": "long"}
    ]}"#;
}

/// Tells the balance after each deposit. Wrong: what it remembers isn't committed with what it
/// says.
#[derive(Default)]
struct Balance {
    cents: Mutex<HashMap<String, i64>>,
}

impl Handler for Balance {
    type Item = Deposit;

    async fn handle(&self, deposit: Deposit, _: &Context) -> Result<Outcome, HandlerError> {
        let Deposit { account, number, cents } = deposit;
        let mut balances = self.cents.lock().unwrap_or_else(PoisonError::into_inner);
        let balance = balances.entry(account.clone()).or_default();
        *balance += cents;
        Outcome::done(&Amount { account, number, cents: *balance })
    }
}

/// Confirms each deposit.
struct Receipt;

impl Handler for Receipt {
    type Item = Deposit;

    async fn handle(&self, deposit: Deposit, _: &Context) -> Result<Outcome, HandlerError> {
        let Deposit { account, number, cents } = deposit;
        Outcome::done(&Amount { account, number, cents })
    }
}

fn main() -> ExitCode {
    Fleet::new()
        .item::<Deposit>("Deposit")
        .handler("balance", Balance::default())
        .handler("receipt", Receipt)
        .main()
}
