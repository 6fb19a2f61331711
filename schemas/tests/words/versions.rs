//! Every version that a schema ever had is kept, and the later ones read all the earlier ones.

use std::fs;
use std::path::PathBuf;

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use longshore_schemas::Fingerprint;

use crate::records::{Record, for_each_record};

/// The file of a version in a folder of this crate, as in `history/Tick.v1.avsc`.
pub(crate) fn file<R: Record>(folder: &str, version: usize, extension: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join(folder).join(format!("{}.v{version}.{extension}", R::NAME))
}

/// The text of every version's schema, oldest first.
pub(crate) fn history<R: Record>() -> Vec<String> {
    (1..)
        .map_while(|version| fs::read_to_string(file::<R>("history", version, "avsc")).ok())
        .collect()
}

fn the_schema_is_the_last_one_of_its_history<R: Record>() {
    let last = history::<R>().pop().map(|text| Fingerprint::of_schema(&text));
    assert_eq!(
        last,
        Some(Fingerprint::of_schema(R::SCHEMA)),
        "the schema of {name} has changed: copy avro/{name}.avsc to a new version in history/, \
         name the one before in `WorkItem::OLDER`, and add a golden sample",
        name = R::NAME
    );
}

fn every_version_reads_all_before_it<R: Record>() {
    let history: Vec<Schema> =
        history::<R>().iter().map(|text| Schema::parse_str(text).unwrap()).collect();
    for (reader, newer) in history.iter().enumerate() {
        for (writer, older) in history[..=reader].iter().enumerate() {
            let can_read = SchemaCompatibility::can_read(older, newer);
            let pair = format!("{} v{} by v{}", R::NAME, writer + 1, reader + 1);
            assert_eq!(can_read, Ok(Compatibility::Full), "{pair}");
        }
    }
}

mod every_record {
    use super::for_each_record;

    for_each_record!(the_schema_is_the_last_one_of_its_history);
    for_each_record!(every_version_reads_all_before_it);
}
