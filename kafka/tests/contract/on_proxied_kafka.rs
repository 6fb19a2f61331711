//! Trouble on a real Kafka: a proxy keeps requests back, loses answers and lets nobody through.

use std::thread;
use std::time::{Duration, Instant};

use longshore_chaos::{ApiKey, Rules, Then, Trap};
use longshore_kafka::Failure;
use longshore_kafka::client::{KafkaBroker, TransactionalProducer};
use longshore_kafka::lane::broker::{Polled, Sent};

use super::harness::{Client, Harness, Request, Troubles, Who};
use super::on_kafka::{self, Alone, member, producer, short};
use super::proxied::until;
use super::seat::Seat;
use super::transaction;

impl Troubles for Alone {
    const SESSION: Duration = on_kafka::SESSION;

    fn exposed_member(&self, who: &Who) -> KafkaBroker {
        member(short(self.proxy.settings()), who)
    }

    fn exposed_producer(&self, transactional_id: &str) -> TransactionalProducer {
        producer(short(self.proxy.settings()), transactional_id)
    }

    fn hold_next(&self, of: Request, client: Client) {
        self.proxy.hold_next(api_key(of), then(client));
    }

    /// The client that waits for it loses its connection first: it must hear nothing.
    fn deliver_held(&self) {
        self.proxy.control.reset_all();
        self.proxy.deliver_held();
    }

    fn lose_next_answer(&self, of: Request, client: Client) {
        let trap = Trap::SwallowAnswer { of: api_key(of), then: then(client) };
        assert!(self.proxy.control.set_trap(trap, 1));
    }

    fn send_as_the_group_moves_on(
        &self,
        seat: &mut Seat<KafkaBroker>,
        newcomer: &mut Seat<KafkaBroker>,
        progress: &[Sent],
    ) -> Result<(), Failure> {
        self.proxy.hold_next(ApiKey::TXN_OFFSET_COMMIT, Then::Stay);
        let is_taken_in = |event: &Polled| matches!(event, Polled::Assigned(_)).then_some(());
        thread::scope(|scope| {
            scope.spawn(|| {
                self.proxy.until("it is on its way", |counts| counts.held_now == 1);
                // The member's client joins again by itself, and its call waits meanwhile.
                newcomer.until("its first assignment", is_taken_in);
                self.proxy.control.release();
            });
            transaction::send(&mut seat.broker, progress)
        })
    }

    fn lose_session(&self, who: &Who, _: &KafkaBroker) {
        self.let_nothing_pass();
        let until = Instant::now() + Self::PATIENCE;
        let has_members = || {
            let group = self.admin.group(&who.group).expect("Kafka answers");
            group.is_some_and(|it| !it.members.is_empty())
        };
        while has_members() {
            assert!(Instant::now() < until, "the group never misses its member");
            self.pause();
        }
        self.proxy.control.set_rules(Rules::default());
    }

    fn hold_markers(&self) {
        let (of, then) = (ApiKey::WRITE_TXN_MARKERS, Then::Stay);
        let trap = Trap::HoldRequest { of, at_most: Self::PATIENCE, then };
        assert!(self.proxy.among_brokers.set_trap(trap, u32::MAX));
    }

    fn release_markers(&self) {
        let markers = &self.proxy.among_brokers;
        until(markers, "they are kept back", |counts| counts.held_now > 0);
        markers.clear_traps();
        markers.release();
    }

    fn crash(&self, member: KafkaBroker) {
        self.let_nothing_pass();
        drop(member);
    }
}

impl Alone {
    fn let_nothing_pass(&self) {
        self.proxy.control.set_rules(Rules { black_hole: true, ..Rules::default() });
    }
}

fn api_key(of: Request) -> ApiKey {
    match of {
        Request::Progress => ApiKey::TXN_OFFSET_COMMIT,
        Request::Commit | Request::Abort => ApiKey::END_TXN,
    }
}

fn then(client: Client) -> Then {
    match client {
        Client::AsksAgain => Then::Reset,
        Client::Waits => Then::Stay,
    }
}
