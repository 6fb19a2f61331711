//! Two lanes and their Kafka, and all that may happen to them.

use stateright::{Model, Property};

use crate::kafka::{Kafka, Request};
use crate::lane::{Lane, Stage, Way};
use crate::rules::Rules;
use crate::{DONE, EO_1, EO_5, ITEMS, LANES, PARTITIONS};

/// How often each may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Requests that reach Kafka late.
    pub late: u8,
    /// Commits that are never answered.
    pub unanswered: u8,
    /// Processes that die, sessions that end, transactions that take too long or are aborted.
    pub blows: u8,
    /// Partitions that are given back in order.
    pub moves: u8,
}

/// All that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Start(usize),
    Assign { partition: usize, to: usize },
    GiveBack { partition: usize },
    Take { lane: usize, partition: usize },
    Rebuild(usize),
    SendProgress(usize, Way),
    Commit(usize, Way),
    Abort(usize, Way),
    Settle(usize),
    LearnOfLoss(usize),
    Crash(usize),
    EndSession(usize),
    TimeOut(usize),
    Deliver(usize),
}

/// Two lanes, their Kafka, and what is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    kafka: Kafka,
    lanes: [Lane; LANES],
    late: Vec<Request>,
    left: Budget,
}

/// Lanes that keep to these rules, within a budget of what goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub rules: Rules,
    pub budget: Budget,
}

impl Model for Fleet {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let lanes = std::array::from_fn(Lane::new);
        vec![State { kafka: Kafka::new(), lanes, late: Vec::new(), left: self.budget }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for lane in 0..LANES {
            self.actions_of(lane, state, actions);
        }
        for partition in 0..PARTITIONS {
            self.moves_of(partition, state, actions);
        }
        actions.extend((0..state.late.len()).map(Action::Deliver));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        state.happens(action, self.rules);
        state.normalize();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(EO_1, |_, it: &State| {
                it.kafka.outputs.iter().zip(it.kafka.progress).all(|(outputs, progress)| {
                    let done = |item: usize| u8::from(Some(item as u8) < progress);
                    outputs.iter().enumerate().all(|(item, times)| *times == done(item))
                })
            }),
            Property::always(EO_5, |_, it: &State| !it.kafka.went_back),
            Property::sometimes(DONE, |fleet: &Self, it: &State| {
                let all = it.kafka.progress == [Some(ITEMS); PARTITIONS];
                let nothing_left = Budget { late: 0, unanswered: 0, blows: 0, moves: 0 };
                all && (it.left == nothing_left || fleet.budget == it.left)
            }),
        ]
    }
}

impl Fleet {
    fn actions_of(&self, id: usize, state: &State, actions: &mut Vec<Action>) {
        let State { kafka, lanes, left, .. } = state;
        let lane = &lanes[id];
        if kafka.has_open(id) && left.blows > 0 {
            actions.push(Action::TimeOut(id));
        }
        if kafka.members[id] && left.blows > 0 {
            actions.push(Action::EndSession(id));
        }
        if !lane.runs() {
            actions.push(Action::Start(id));
            return;
        }
        if left.blows > 0 {
            actions.push(Action::Crash(id));
        }
        if !kafka.members[id] {
            actions.push(Action::LearnOfLoss(id));
        }
        let takes = (0..PARTITIONS).filter(|it| lane.may_take(*it, self.rules));
        actions.extend(takes.map(|partition| Action::Take { lane: id, partition }));
        if lane.stage == Stage::Unknown {
            actions.push(Action::Settle(id));
            return;
        }
        if !lane.is_in_transaction() {
            if lane.tainted && self.rules.rebuilds {
                actions.push(Action::Rebuild(id));
            }
            return;
        }
        let mut ways = vec![Way::Answered];
        if left.late > 0 {
            ways.push(Way::AskedAgain);
        }
        if lane.stage == Stage::Doomed || left.blows > 0 {
            actions.extend(ways.iter().map(|way| Action::Abort(id, *way)));
        }
        match lane.stage {
            Stage::Ready => actions.extend(ways.iter().map(|way| Action::SendProgress(id, *way))),
            Stage::Sent => {
                if left.unanswered > 0 {
                    ways.extend([Way::Unanswered, Way::Delayed]);
                }
                actions.extend(ways.iter().map(|way| Action::Commit(id, *way)));
            }
            Stage::Down | Stage::Doomed | Stage::Unknown => {}
        }
    }

    fn moves_of(&self, partition: usize, state: &State, actions: &mut Vec<Action>) {
        let State { kafka, lanes, left, .. } = state;
        match kafka.owners[partition] {
            Some(owner) => {
                // Of an unknown commit the next owner waits for the end.
                let is_free =
                    lanes[owner].batch[partition].is_none() || lanes[owner].stage == Stage::Unknown;
                let owns = lanes[owner].positions[partition].is_some();
                if owns && (is_free || !self.rules.gives_back_in_order) && left.moves > 0 {
                    actions.push(Action::GiveBack { partition });
                }
            }
            None if kafka.is_stable(partition) || !self.rules.waits_for_stable_progress => {
                let members = (0..LANES).filter(|it| kafka.members[*it] && lanes[*it].runs());
                actions.extend(members.map(|to| Action::Assign { partition, to }));
            }
            None => {}
        }
    }
}

impl State {
    /// States that can't be told apart by what comes of them are one: numbers matter only in so far
    /// as they are the newest, and a request that will be refused for its number is none.
    fn normalize(&mut self) {
        let Self { kafka, lanes, late, .. } = self;
        late.retain(|request| kafka.is_of_now(request));
        for lane in lanes.iter_mut() {
            lane.normalize(kafka);
        }
        for request in late.iter_mut() {
            match request {
                Request::TxnOffsetCommit { epoch, generation, .. } => {
                    (*epoch, *generation) = (1, 1);
                }
                Request::EndTxn { epoch, .. } => *epoch = 1,
            }
        }
        kafka.normalize();
        late.sort();
    }

    fn happens(&mut self, action: Action, rules: Rules) {
        let Self { kafka, lanes, late, left } = self;
        match action {
            Action::Start(lane) => {
                // A member that comes back without a memory is a new one.
                if kafka.members[lane] {
                    kafka.expel(lane);
                }
                lanes[lane].start(kafka);
                kafka.join(lane);
            }
            Action::Assign { partition, to } => {
                kafka.owners[partition] = Some(to);
                kafka.generation += 1;
                lanes[to].positions[partition] = kafka.progress[partition];
            }
            Action::GiveBack { partition } => {
                left.moves -= 1;
                if let Some(owner) = kafka.owners[partition].take() {
                    lanes[owner].positions[partition] = None;
                }
                kafka.generation += 1;
            }
            Action::Take { lane, partition } => lanes[lane].take(partition, kafka),
            Action::Rebuild(lane) => lanes[lane].rebuild(kafka),
            Action::SendProgress(lane, way) => late.extend(lanes[lane].send_progress(way, kafka)),
            Action::Commit(lane, way) => late.extend(lanes[lane].commit(way, kafka)),
            Action::Abort(lane, way) => {
                if lanes[lane].stage != Stage::Doomed {
                    left.blows -= 1;
                }
                late.extend(lanes[lane].abort(way, kafka));
            }
            Action::Settle(lane) => lanes[lane].settle(kafka, rules),
            Action::LearnOfLoss(lane) => {
                lanes[lane].lose_all();
                kafka.join(lane);
            }
            Action::Crash(lane) => {
                left.blows -= 1;
                lanes[lane].fall();
            }
            Action::EndSession(lane) => {
                left.blows -= 1;
                kafka.expel(lane);
            }
            Action::TimeOut(lane) => {
                left.blows -= 1;
                kafka.time_out(lane);
            }
            Action::Deliver(which) => {
                // Nobody waits for the answer.
                let _answer = kafka.handle(&late.remove(which));
            }
        }
        match action {
            Action::SendProgress(_, way) | Action::Commit(_, way) | Action::Abort(_, way) => {
                match way {
                    Way::Answered => {}
                    Way::AskedAgain => left.late -= 1,
                    Way::Unanswered | Way::Delayed => left.unanswered -= 1,
                }
            }
            _ => {}
        }
        // Members learn of a generation when they join it, and who isn't one doesn't.
        for (lane, is_member) in lanes.iter_mut().zip(kafka.members) {
            if is_member && lane.runs() {
                lane.generation = kafka.generation;
            }
        }
    }
}
