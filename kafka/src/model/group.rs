//! A consumer group on one topic: members, generations, and partitions that change hands the
//! cooperative way, one at a time and only when they were let go of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;

use super::code::Code;
use super::offsets::Offsets;
use super::state::SESSION_TIMEOUT;
use crate::lane::broker::Polled;
use crate::{Partition, Remedy};

/// Between two heartbeats, which tell a client that its slot was taken.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a client that has lost its slot waits for nobody to have it.
const TAKEN_MAX: Duration = SESSION_TIMEOUT.saturating_mul(2);

/// A consumer's name in its group; no two of a cluster have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub(super) u32);

/// What is sent with progress: who, and of which generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) member: MemberId,
    pub(super) generation: u32,
}

/// A group.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Its progress.
    pub(super) offsets: Offsets,
    generation: u32,
    partitions: BTreeSet<Partition>,
    members: BTreeMap<MemberId, Share>,
    clients: BTreeMap<MemberId, Client>,
}

/// What the group gave a member.
#[derive(Debug, Default)]
struct Share {
    owned: BTreeSet<Partition>,
    target: BTreeSet<Partition>,
    /// Of those owned: asked back, not yet let go of.
    leaving: BTreeSet<Partition>,
}

/// What a client knows, member or not.
#[derive(Debug)]
struct Client {
    slot: Option<String>,
    /// Its generation, if it believes that it is a member.
    generation: Option<u32>,
    hears: Hears,
    last_poll: Duration,
    events: VecDeque<Polled>,
}

/// How a client hears of changes in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    /// At once: librdkafka's own thread does, before the application polls the event.
    AtOnce,
    /// At its next poll.
    Late,
    /// Never: its slot has been taken. It hears so at a poll after this time: by its next
    /// heartbeat, or because its progress has been refused.
    Fenced(Duration),
    /// Never: it knows that its slot was taken, and waits until nobody has it. Since when.
    Waiting(Duration),
    /// Never: it is dead.
    Dead,
}

impl Group {
    /// A client that isn't a member yet.
    pub(super) fn register(&mut self, id: MemberId, slot: Option<String>, now: Duration) {
        let events = VecDeque::new();
        let hears = Hears::AtOnce;
        self.clients.insert(id, Client { slot, generation: None, hears, last_poll: now, events });
    }

    /// The client polls: it learns what it hasn't heard, and joins if it is no member and has
    /// acknowledged everything (`idle`).
    ///
    /// # Errors
    /// It has lost its slot, and all that it held ([`Remedy::Leave`]); it is told to stop.
    pub(super) fn polled(
        &mut self,
        id: MemberId,
        idle: bool,
        partitions: i32,
        now: Duration,
    ) -> Result<(), (Code, Remedy)> {
        let joined = self.members.contains_key(&id);
        let is_taken = self.holder_of_the_slot_of(id).is_some_and(|holder| holder != id);
        let Some(client) = self.clients.get_mut(&id) else {
            return Err((Code::UnknownMemberId, Remedy::Stop));
        };
        match client.hears {
            Hears::Fenced(hears) if now < hears => {
                client.last_poll = now;
                return Ok(());
            }
            Hears::Fenced(_) => {
                client.hears = Hears::Waiting(now);
                client.generation = None;
                client.events.clear();
                return Err((Code::FencedInstanceId, Remedy::Leave));
            }
            Hears::Waiting(since) if is_taken && now.saturating_sub(since) > TAKEN_MAX => {
                return Err((Code::FencedInstanceId, Remedy::Stop));
            }
            Hears::Waiting(_) if is_taken => return Ok(()),
            Hears::Dead => return Err((Code::Crashed, Remedy::Stop)),
            Hears::AtOnce | Hears::Late | Hears::Waiting(_) => client.hears = Hears::AtOnce,
        }
        client.last_poll = now;
        client.generation = joined.then_some(self.generation);
        if !joined && idle && client.events.is_empty() {
            self.join(id, (0..partitions).map(Partition).collect(), now);
        }
        Ok(())
    }

    /// The next event for the client.
    pub(super) fn next_event(&mut self, id: MemberId) -> Option<Polled> {
        self.clients.get_mut(&id)?.events.pop_front()
    }

    /// The client's membership as it knows it.
    pub(super) fn membership(&self, id: MemberId) -> Option<Membership> {
        let generation = self.clients.get(&id)?.generation?;
        Some(Membership { member: id, generation })
    }

    /// The client was told that it is fenced.
    pub(super) fn tell_fence(&mut self, id: MemberId) {
        if let Some(client) = self.clients.get_mut(&id)
            && matches!(client.hears, Hears::Fenced(_))
        {
            client.hears = Hears::Fenced(Duration::ZERO);
        }
    }

    /// Whether the client knows that its slot was taken.
    pub(super) fn knows_of_fence(&self, id: MemberId) -> bool {
        let hears = self.clients.get(&id).map(|it| it.hears);
        matches!(hears, Some(Hears::Waiting(_) | Hears::Fenced(Duration::ZERO)))
    }

    /// What the group coordinator checks when progress is committed: the membership. Not whether
    /// the member owns the partition. And nothing at all without one (generation -1 and an empty
    /// member id, which older clients send).
    pub(super) fn check(&self, membership: Option<Membership>) -> Result<(), Code> {
        let Some(Membership { member, generation }) = membership else {
            return Ok(());
        };
        let fenced = |it: &Client| matches!(it.hears, Hears::Fenced(_) | Hears::Waiting(_));
        if self.clients.get(&member).is_some_and(fenced) {
            return Err(Code::FencedInstanceId);
        }
        match self.members.contains_key(&member) {
            false => Err(Code::UnknownMemberId),
            true if generation != self.generation => Err(Code::IllegalGeneration),
            true => Ok(()),
        }
    }

    /// The member lets go of partitions: they may be given to others.
    pub(super) fn release(&mut self, id: MemberId, partitions: &[Partition]) {
        let Some(share) = self.members.get_mut(&id) else {
            return;
        };
        for partition in partitions {
            share.owned.remove(partition);
            share.leaving.remove(partition);
        }
        self.settle();
    }

    /// The client goes: at once if it has no slot, otherwise its session must run out.
    pub(super) fn leave(&mut self, id: MemberId) {
        match self.clients.get(&id) {
            Some(client) if client.slot.is_none() => {
                self.expel(id);
                self.clients.remove(&id);
            }
            _ => self.die(id),
        }
    }

    /// The client is dead, and the group doesn't know.
    pub(super) fn die(&mut self, id: MemberId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.hears = Hears::Dead;
        }
    }

    /// The group loses the member, which hears of it at its next poll.
    pub(super) fn expel(&mut self, id: MemberId) {
        let Some(share) = self.members.remove(&id) else {
            return;
        };
        if let Some(client) = self.clients.get_mut(&id) {
            let partitions: Vec<_> = share.owned.difference(&share.leaving).copied().collect();
            if !partitions.is_empty() {
                client.events.push_back(Polled::Revoked { partitions, lost: true });
            }
        }
        self.balance();
    }

    /// Ends the sessions of the dead and the memberships of those that didn't poll.
    pub(super) fn expire(&mut self, now: Duration, session: Duration, poll_interval: Duration) {
        let overdue = |client: &Client| {
            let limit = if client.hears == Hears::Dead { session } else { poll_interval };
            now.saturating_sub(client.last_poll) > limit
        };
        let ids: Vec<_> = self.clients.iter().filter(|it| overdue(it.1)).map(|it| *it.0).collect();
        for id in ids {
            self.expel(id);
            if let Some(client) = self.clients.get_mut(&id) {
                // A client notices by itself that it didn't poll, and leaves.
                client.generation = None;
            }
        }
    }

    /// From now on the client hears of changes at its next poll only.
    pub(super) fn fall_behind(&mut self, id: MemberId) {
        if let Some(client) = self.clients.get_mut(&id)
            && client.hears == Hears::AtOnce
        {
            client.hears = Hears::Late;
        }
    }

    /// Whether the client is one of this group's.
    pub(super) fn knows(&self, id: MemberId) -> bool {
        self.clients.contains_key(&id)
    }

    /// Gives these partitions to this member.
    pub(super) fn hand_over(&mut self, to: MemberId, partitions: &[Partition]) {
        for (id, share) in &mut self.members {
            for &partition in partitions {
                share.target.remove(&partition);
                if *id == to {
                    share.target.insert(partition);
                }
            }
        }
        self.generation += 1;
        self.settle();
    }

    /// Deals all partitions out anew.
    pub(super) fn shuffle(&mut self, rng: &mut SmallRng) {
        let mut partitions: Vec<_> = self.partitions.iter().copied().collect();
        partitions.shuffle(rng);
        let members = self.members.len().max(1);
        for (index, share) in self.members.values_mut().enumerate() {
            share.target = partitions.iter().skip(index).step_by(members).copied().collect();
        }
        self.generation += 1;
        self.settle();
    }

    fn join(&mut self, id: MemberId, partitions: BTreeSet<Partition>, now: Duration) {
        self.partitions = partitions;
        match self.holder_of_the_slot_of(id) {
            Some(old) => self.replace(old, id, now),
            None => {
                self.members.insert(id, Share::default());
                self.balance();
            }
        }
    }

    /// A member's slot is given to one that never says a word.
    pub(super) fn take_slot(&mut self, from: MemberId, nobody: MemberId, now: Duration) {
        let slot = self.clients.get(&from).and_then(|client| client.slot.clone());
        if slot.is_some() && self.members.contains_key(&from) {
            self.register(nobody, slot, now);
            self.replace(from, nobody, now);
            self.die(nobody);
        }
    }

    fn holder_of_the_slot_of(&self, id: MemberId) -> Option<MemberId> {
        let slot = self.clients.get(&id)?.slot.as_ref()?;
        let same = |other: &&MemberId| {
            self.clients.get(other).is_some_and(|it| it.slot.as_ref() == Some(slot))
        };
        self.members.keys().find(same).copied()
    }

    /// Static membership (KIP-345): the newcomer has what the old member had, without a rebalance.
    fn replace(&mut self, old: MemberId, new: MemberId, now: Duration) {
        let Some(Share { owned, target, .. }) = self.members.remove(&old) else {
            return;
        };
        if let Some(client) = self.clients.get_mut(&old) {
            client.hears = Hears::Fenced(now + HEARTBEAT);
        }
        let share = Share { owned: owned.clone(), target, ..Share::default() };
        self.members.insert(new, share);
        self.give(new, owned);
        self.settle();
    }

    /// Evens out, moving as little as possible.
    fn balance(&mut self) {
        self.generation += 1;
        let Some(members) = std::num::NonZeroUsize::new(self.members.len()) else {
            return;
        };
        let floor = self.partitions.len() / members;
        let mut above = self.partitions.len() % members;
        let mut homeless = self.partitions.clone();
        let mut shares: Vec<_> = self.members.values_mut().collect();
        shares.sort_by_key(|share| std::cmp::Reverse(share.owned.len()));
        for share in &mut shares {
            let quota = if above > 0 && share.owned.len() > floor { floor + 1 } else { floor };
            above -= quota - floor;
            share.target = share.owned.iter().take(quota).copied().collect();
            homeless.retain(|partition| !share.target.contains(partition));
        }
        for partition in homeless {
            if let Some(share) = shares.iter_mut().min_by_key(|share| share.target.len()) {
                share.target.insert(partition);
            }
        }
        self.settle();
    }

    /// Asks back what has a new owner, and gives away what nobody has any more.
    fn settle(&mut self) {
        let ids: Vec<_> = self.members.keys().copied().collect();
        let changed: Vec<_> = ids.iter().map(|&id| self.ask_back(id) | self.hand_out(id)).collect();
        if changed.contains(&true) {
            self.generation += 1;
        }
        for (id, client) in &mut self.clients {
            if client.hears == Hears::AtOnce && self.members.contains_key(id) {
                client.generation = Some(self.generation);
            }
        }
    }

    fn ask_back(&mut self, id: MemberId) -> bool {
        let Some(share) = self.members.get_mut(&id) else {
            return false;
        };
        let unwanted = |it: &&Partition| !share.target.contains(it) && !share.leaving.contains(it);
        let partitions: Vec<_> = share.owned.iter().filter(unwanted).copied().collect();
        share.leaving.extend(&partitions);
        let any = !partitions.is_empty();
        if any && let Some(client) = self.clients.get_mut(&id) {
            client.events.push_back(Polled::Revoked { partitions, lost: false });
        }
        any
    }

    fn hand_out(&mut self, id: MemberId) -> bool {
        let taken: BTreeSet<_> = self.members.values().flat_map(|it| it.owned.clone()).collect();
        let Some(share) = self.members.get_mut(&id) else {
            return false;
        };
        let free: BTreeSet<_> = share.target.difference(&taken).copied().collect();
        share.owned.extend(&free);
        self.give(id, free)
    }

    fn give(&mut self, id: MemberId, partitions: BTreeSet<Partition>) -> bool {
        let any = !partitions.is_empty();
        if any && let Some(client) = self.clients.get_mut(&id) {
            client.events.push_back(Polled::Assigned(partitions.into_iter().collect()));
        }
        any
    }
}
