//! A carried group as the journal's records: as many as it takes.

use std::io;

use longshore_schemas::records::{Carried, CarriedPart, Expect, GroupOpen, PartOutcome};

use crate::gather::{Carry, EndedPart};

/// About what a record of the journal may take, a single part of any size excepted: half of what a
/// topic takes by default.
const RECORD_BYTES_MAX: usize = 512 << 10;
/// What a part takes beside what varies.
const FIXED_BYTES: usize = 64;

/// The records of a carried group, to be written in one transaction and in this order. Payloads
/// that were spilled are read; blocks.
///
/// # Errors
/// If the spill file can't be read.
pub fn records(carry: Carry) -> io::Result<Vec<Carried>> {
    let Carry { carried, parts, .. } = carry;
    let more = Carried {
        opening: GroupOpen { expect: Expect::Count(0), ..carried.opening.clone() },
        continues: true,
        ..carried.clone()
    };
    let mut bytes = opening_bytes(&carried.opening);
    let mut records = vec![carried];
    for part in parts {
        let carried_part = part_of(&more.opening, part)?;
        let part_bytes = part_bytes(&carried_part.outcome);
        if bytes > FIXED_BYTES && bytes + part_bytes > RECORD_BYTES_MAX {
            records.push(more.clone());
            bytes = FIXED_BYTES;
        }
        bytes += part_bytes;
        if let Some(record) = records.last_mut() {
            record.parts.push(carried_part);
        }
    }
    Ok(records)
}

fn part_of(opening: &GroupOpen, part: EndedPart) -> io::Result<CarriedPart> {
    let outcome = PartOutcome {
        group_id: opening.group_id.clone(),
        revision: opening.revision,
        opened_at: opening.opened_at,
        stage: part.stage,
        part_id: part.part_id,
        attempt: part.attempt,
        status: part.status,
        payload: part.payload.read()?,
        error: part.error,
    };
    Ok(CarriedPart { offset: part.offset, outcome })
}

fn opening_bytes(opening: &GroupOpen) -> usize {
    let listed = match &opening.expect {
        Expect::Parts(parts) => parts.iter().map(|part| part.stage.as_str().len() + 8).sum(),
        Expect::Count(_) | Expect::OpenEnded => 0,
    };
    FIXED_BYTES + listed
}

fn part_bytes(outcome: &PartOutcome) -> usize {
    let error = outcome.error.as_ref().map_or(0, |it| it.class.len() + it.message.len());
    let payload = outcome.payload.as_ref().map_or(0, |it| it.len());
    let names = outcome.group_id.as_str().len() + outcome.stage.as_str().len();
    FIXED_BYTES + names + payload + error
}
