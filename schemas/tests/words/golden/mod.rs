//! Bytes that were written once decode for ever to the value they were written from.

use std::fs;

use longshore_schemas::Fingerprint;

use crate::records::{Record, for_each_record};
use crate::versions::{file, history};

pub(crate) mod values;

/// The sample of a version, counted from 1.
fn sample<R: Record>(version: usize) -> Vec<u8> {
    let path = file::<R>("golden", version, "avro");
    fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo test -p longshore-schemas -- --ignored` writes what is missing",
            path.display()
        )
    })
}

fn every_version_has_a_golden_sample<R: Record>() {
    let history = history::<R>();
    assert_eq!(history.len(), R::golden().len(), "{}", R::NAME);
    for (index, schema) in history.iter().enumerate() {
        let written = Fingerprint::of_message(&sample::<R>(index + 1)).unwrap();
        assert_eq!(Ok(written), Fingerprint::of_schema(schema), "{}", R::NAME);
    }
}

fn every_golden_sample_decodes_to_its_value<R: Record>() {
    for (index, value) in R::golden().into_iter().enumerate() {
        assert_eq!(R::codec().decode(&sample::<R>(index + 1)), Ok(value));
    }
}

fn todays_bytes_are_those_of_the_last_sample<R: Record>() {
    let values = R::golden();
    let message = R::codec().encode(values.last().unwrap()).unwrap();
    assert_eq!(message, sample::<R>(values.len()), "{}", R::NAME);
    assert_eq!(Fingerprint::of_message(&message), Ok(R::codec().fingerprint()));
}

/// Never writes over one: what was written once stays.
fn write_missing_sample<R: Record>() {
    let values = R::golden();
    let path = file::<R>("golden", values.len(), "avro");
    if !path.exists() {
        fs::write(path, R::codec().encode(values.last().unwrap()).unwrap()).unwrap();
    }
}

mod every_record {
    use super::for_each_record;

    for_each_record!(every_version_has_a_golden_sample);
    for_each_record!(every_golden_sample_decodes_to_its_value);
    for_each_record!(todays_bytes_are_those_of_the_last_sample);
}

mod on_request {
    use super::for_each_record;

    for_each_record!(
        #[ignore = "writes the samples of new versions"]
        write_missing_sample
    );
}
