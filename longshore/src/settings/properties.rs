//! Properties of the Kafka client, by librdkafka's names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::SettingsError;
use super::layers::{Layers, Origin, Text};

/// What a property's name ends with whose value is the name of a file that holds the secret.
const OF_FILE: &str = "_file";

/// Every property that is set, by its name. A place that comes first replaces what a later one says
/// of the same property.
pub(super) fn collect(layers: &Layers<'_>) -> Result<BTreeMap<String, Text>, SettingsError> {
    let mut properties = BTreeMap::new();
    for (key, origin, value) in layers.file.properties() {
        insert(&mut properties, key, origin, value)?;
    }
    for (key, variable, value) in layers.environment.properties() {
        insert(&mut properties, &key, Origin::Environment(variable), value)?;
    }
    for given in &layers.options.properties {
        let (key, value) = given
            .split_once('=')
            .ok_or_else(|| SettingsError::NoProperty { given: given.clone() })?;
        insert(&mut properties, key.trim(), Origin::Flag("-X"), value)?;
    }
    Ok(properties)
}

fn insert(
    properties: &mut BTreeMap<String, Text>,
    key: &str,
    origin: Origin,
    value: &str,
) -> Result<(), SettingsError> {
    let (key, value) = match key.strip_suffix(OF_FILE) {
        Some(secret) => (secret, read(key, &origin, value)?),
        None => (key, value.to_owned()),
    };
    properties.insert(key.to_owned(), Text { value, origin });
    Ok(())
}

/// The secret in a file, without the line break at its end that editors add.
fn read(key: &str, origin: &Origin, path: &str) -> Result<String, SettingsError> {
    let secret = std::fs::read_to_string(path).map_err(|source| SettingsError::Secret {
        key: key.to_owned(),
        origin: origin.clone(),
        path: PathBuf::from(path),
        source,
    })?;
    Ok(secret.trim_end_matches(['\r', '\n']).to_owned())
}
