//! The orders of TPC-H.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use longshore_kafka::partitioner::partition_for;
use longshore_producer::{Ending, Input, run};
use longshore_schemas::headers::{ID, IDEMPOTENCY_KEY, TRACEPARENT};
use longshore_schemas::{Codec, WorkItem};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::harness::{PARTITIONS, Scene, keys, publish, publish_until, settings};

const ORDERS: Input = Input::TpchOrders { scale: 0.01 };

/// An order as a worker reads it.
#[derive(Serialize, Deserialize)]
struct Order {
    order_key: i64,
    customer_key: i64,
    status: String,
    total_price: i64,
    lines: Vec<LineItem>,
}

#[derive(Serialize, Deserialize)]
struct LineItem {
    order_key: i64,
    line_number: i32,
    part_key: i64,
    supplier_key: i64,
    quantity: i64,
    extended_price: i64,
    discount: i64,
    tax: i64,
    status: String,
}

impl WorkItem for Order {
    const SCHEMA: &'static str = include_str!("../../../examples/orders/schemas/order.avsc");
}

#[test]
fn every_order_is_published_once_over_a_drain_a_crash_and_a_restart() {
    let scene = Scene::new("orders", &[]);
    let config = scene.config(ORDERS, Order::SCHEMA, "order_key");

    let drained = publish_until(&config, |progress| progress.items >= 3_000);
    assert_eq!(drained.ending, Ending::Drained);

    // A crash: whatever is open or under way is left as it is.
    let crashed = catch_unwind(AssertUnwindSafe(|| {
        run(&config, &settings(), &CancellationToken::new(), &mut |progress| {
            assert!(progress.items < 4_000, "the crash");
        })
    }));
    assert!(crashed.is_err(), "it has crashed");

    let finished = publish(&config).expect("finishes");
    assert_eq!(finished.ending, Ending::Finished);
    assert!(finished.resumed_at.line >= 7_000, "{finished:?}");
    assert_eq!(finished.resumed_at.line + finished.published.items, 15_000);
    assert_eq!(publish(&config).expect("nothing to do").ending, Ending::AlreadyPublished);

    let items = scene.items();
    assert_eq!(items.len(), 15_000);
    let codec = Codec::<Order>::new().unwrap();
    let mut lines = 0;
    for item in &items {
        let order = codec.decode(item.value.as_ref().unwrap()).unwrap();
        assert_eq!(item.key.as_deref(), Some(order.order_key.to_string().as_bytes()));
        assert_eq!(item.partition, partition_for(item.key.as_ref().unwrap(), PARTITIONS));
        assert!(item.headers.contains(TRACEPARENT) && item.headers.contains(IDEMPOTENCY_KEY));
        lines += order.lines.len();
    }
    assert_eq!(lines, 60_175);
    assert_eq!(keys(&items).into_iter().collect::<BTreeSet<_>>().len(), 15_000);
    let ids: BTreeSet<_> = items.iter().map(|it| it.headers.text(ID).unwrap()).collect();
    assert_eq!(ids.len(), 15_000);
}
