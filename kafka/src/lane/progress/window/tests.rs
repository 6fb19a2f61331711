//! The window by examples, and against a plain set of finished offsets.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn received(offsets: &[i64]) -> Window {
    let mut window = Window::new(Offset(offsets[0]), FinishedMap::default());
    for &offset in offsets {
        assert_eq!(window.receive(Offset(offset)), Received::Fresh);
    }
    window
}

fn commit(window: &mut Window, offsets: &[i64]) {
    for &offset in offsets {
        window.carry(Offset(offset));
    }
    window.commit(offsets.iter().map(|&offset| Offset(offset)));
}

fn ranges(map: &FinishedMap) -> Vec<(i64, i64)> {
    map.ranges().map(|(from, to)| (from.0, to.0)).collect()
}

#[test]
fn a_slow_item_holds_the_position_not_the_others() {
    let mut window = received(&[10, 11, 12, 13]);
    commit(&mut window, &[11, 13]);
    assert_eq!(window.position(), Offset(10));
    assert_eq!(ranges(&window.carried_map()), [(11, 12), (13, 14)]);
    commit(&mut window, &[10]);
    assert_eq!(window.position(), Offset(12));
    assert_eq!(ranges(&window.carried_map()), [(13, 14)]);
    commit(&mut window, &[12]);
    assert_eq!(window.position(), Offset(14));
    assert!(window.carried_map().is_empty());
}

#[test]
fn the_window_is_used_up_when_nothing_more_is_admitted() {
    let mut window = received(&[0]);
    assert_eq!(Window::new(Offset(7), FinishedMap::default()).used(), 0.0);
    window.receive(Offset(SPAN_DENSE - 1));
    assert!(window.used() < 0.02, "two items take little room, however far apart");
    let mut window = received(&(0..UNFINISHED_SPARSE as i64).collect::<Vec<_>>());
    assert!(window.used() < 0.05, "many items take little room while they are close together");
    window.receive(Offset(SPAN_DENSE));
    assert_eq!(window.used(), 1.0);
}

#[test]
fn the_first_unfinished_are_counted_behind_what_is_finished_received_or_not() {
    let mut window = Window::new(Offset(0), FinishedMap::default());
    for offset in (0..6).map(Offset) {
        assert_eq!(window.receive(offset), Received::Fresh);
    }
    commit(&mut window, &[1, 2]);
    window.carry(Offset(3));
    let behind = |window: &Window| [1, 2, 3, 4].map(|count| window.behind_unfinished(count).0);
    assert_eq!(behind(&window), [1, 5, 6, 7]);
    let taken_over = Window::new(window.position(), window.carried_map());
    assert_eq!(behind(&taken_over), [1, 5, 6, 7]);
}

#[test]
fn gaps_count_as_finished() {
    let mut window = received(&[10, 15, 20]);
    commit(&mut window, &[10]);
    assert_eq!(window.position(), Offset(15));
    commit(&mut window, &[20]);
    assert_eq!(ranges(&window.carried_map()), [(16, 21)]);
    window.reached(Offset(25));
    commit(&mut window, &[15]);
    assert_eq!(window.position(), Offset(25));
}

#[test]
fn what_is_received_but_not_dispatched_takes_no_room_in_the_map() {
    let mut window = received(&[0, 2, 4, 6, 8]);
    commit(&mut window, &[2]);
    assert_eq!(
        ranges(&window.carried_map()),
        [(1, 3)],
        "gaps behind the last finished are left out"
    );
}

#[test]
fn an_aborted_transaction_leaves_no_trace() {
    let mut window = received(&[0, 1, 2]);
    window.carry(Offset(0));
    window.carry(Offset(2));
    assert_eq!(window.carried_position(), Offset(1));
    window.put_back(Offset(0));
    window.put_back(Offset(2));
    assert_eq!(window.carried_position(), Offset(0));
    assert_eq!(window.unfinished(), 3);
    commit(&mut window, &[0]);
    assert_eq!(window.position(), Offset(1));
}

#[test]
fn the_next_owner_skips_what_is_finished_and_keeps_it_in_its_own_map() {
    let mut inherited = FinishedMap::default();
    inherited.push(Offset(102), Offset(104));
    inherited.push(Offset(110), Offset(120));
    let mut window = Window::new(Offset(100), inherited);
    assert_eq!(ranges(&window.carried_map()), [(102, 104), (110, 120)]);
    assert_eq!(window.receive(Offset(100)), Received::Fresh);
    assert_eq!(window.receive(Offset(101)), Received::Fresh);
    assert_eq!(window.receive(Offset(102)), Received::AlreadyFinished);
    commit(&mut window, &[101]);
    assert_eq!(ranges(&window.carried_map()), [(101, 104), (110, 120)]);
    commit(&mut window, &[100]);
    assert_eq!(window.position(), Offset(104), "past what the earlier owner finished");
    assert_eq!(ranges(&window.carried_map()), [(110, 120)]);
}

#[test]
fn one_stuck_item_stops_its_partition_only_when_seven_hundred_wait() {
    let mut window = Window::new(Offset(0), FinishedMap::default());
    window.receive(Offset(0));
    assert!(window.admits(Offset(16_383), 5_000), "near the position anything goes");
    assert!(window.admits(Offset(16_384), 700), "further on while few are unfinished");
    assert!(!window.admits(Offset(16_384), 701));
    assert!(window.admits(Offset(999_999), 1));
    assert!(!window.admits(Offset(1_000_000), 1), "nothing is further than a million ahead");
}

#[test]
fn an_open_item_stays_while_thousands_behind_it_are_swept_out() {
    let offsets: Vec<i64> = (0..3_000).collect();
    let mut window = received(&offsets);
    commit(&mut window, &offsets[1..]);
    assert_eq!((window.position(), window.unfinished()), (Offset(0), 1));
    assert!(window.entries.len() <= SWEEP_MIN, "{} are kept", window.entries.len());
    assert_eq!(ranges(&window.carried_map()), [(1, 3_000)]);
    commit(&mut window, &offsets[..1]);
    assert_eq!((window.position(), window.unfinished()), (Offset(3_000), 0));
}

proptest! {
    /// Offsets with gaps are received and finished in any order, some transactions abort, the
    /// partition changes hands in between: position and map always equal a plain set.
    #[test]
    fn position_and_map_equal_a_plain_set(
        gaps in prop::collection::vec(1_i64..4, 1..80),
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..80),
        take_over in any::<prop::sample::Index>(),
    ) {
        let offsets: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let mut window = Window::new(Offset(0), FinishedMap::default());
        for &offset in &offsets { window.receive(Offset(offset)); }
        let mut open: BTreeSet<i64> = offsets.iter().copied().collect();
        let hand_over = take_over.index(order.len().max(1));
        for (turn, (pick, commits)) in order.into_iter().enumerate() {
            if turn == hand_over {
                let (position, map) = (window.position(), window.carried_map());
                window = Window::new(position, map);
                for &offset in offsets.iter().filter(|&&offset| offset >= position.0) {
                    let expected = match open.contains(&offset) {
                        true => Received::Fresh,
                        false => Received::AlreadyFinished,
                    };
                    prop_assert_eq!(window.receive(Offset(offset)), expected);
                }
            }
            if open.is_empty() { break; }
            let offset = *open.iter().nth(pick.index(open.len())).expect("in range");
            window.carry(Offset(offset));
            if commits {
                open.remove(&offset);
                window.commit(std::iter::once(Offset(offset)));
            } else {
                window.put_back(Offset(offset));
            }
            let position = open.first().copied().unwrap_or(offsets[offsets.len() - 1] + 1);
            prop_assert_eq!(window.position(), Offset(position));
            let map = window.carried_map();
            for &offset in offsets.iter().filter(|&&offset| offset >= position) {
                let is_finished = !open.contains(&offset);
                prop_assert_eq!(map.contains(Offset(offset)), is_finished, "offset {}", offset);
            }
        }
    }

    /// Whatever the window admits, its map fits beside the offset.
    #[test]
    fn an_admitted_item_never_overflows_the_map(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 200..400),
        spread in 1_i64..2_000,
    ) {
        let mut window = Window::new(Offset(0), FinishedMap::default());
        let mut received = 0_i64;
        for pick in picks {
            let picked = pick.index(usize::try_from(spread).expect("small"));
            received += 1 + i64::try_from(picked).expect("small");
            window.receive(Offset(received));
            if pick.index(3) != 0 && window.admits(Offset(received), window.unfinished()) {
                commit(&mut window, &[received]);
            }
            let text = window.carried_map().encode(window.position());
            prop_assert!(text.len() <= 2_900 * 4 / 3 + 4, "{} characters", text.len());
        }
    }
}
