//! The environment variables that are settings.

use std::collections::BTreeMap;

/// What every variable of ours begins with.
const PREFIX: &str = "LONGSHORE_";
/// What the variables begin with that stand for properties of the Kafka client.
const KAFKA: &str = "KAFKA_";

/// The variables of a process that begin with `LONGSHORE_`, without that beginning.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process. What isn't UTF-8 is no setting.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The variable of a setting, `LONGSHORE_SESSION_TIMEOUT` of `session_timeout`, and its value.
    /// An empty one counts as not set.
    pub(super) fn of(&self, setting: &str) -> Option<(String, &str)> {
        let name = setting.to_ascii_uppercase();
        let value = self.0.get(&name).filter(|value| !value.is_empty())?;
        Some((format!("{PREFIX}{name}"), value))
    }

    /// Properties of the Kafka client, `sasl.password` of `LONGSHORE_KAFKA_SASL_PASSWORD`: each
    /// with its variable and value.
    pub(super) fn properties(&self) -> impl Iterator<Item = (String, String, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let key = property(name.strip_prefix(KAFKA)?);
            Some((key, format!("{PREFIX}{name}"), value.as_str()))
        })
    }
}

/// The property that a variable stands for; that of a file with a secret keeps its `_file`.
fn property(variable: &str) -> String {
    let name = variable.to_ascii_lowercase();
    match name.strip_suffix("_file") {
        Some(secret) => format!("{}_file", secret.replace('_', ".")),
        None => name.replace('_', "."),
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(PREFIX)?.to_owned();
            Some((name, value))
        });
        Self(ours.collect())
    }
}
