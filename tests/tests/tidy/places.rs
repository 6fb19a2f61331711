//! What may stand in one place only: Kafka's client, and unsafe code.

use crate::exemptions::hold;
use crate::sources;

#[test]
fn only_the_door_names_the_kafka_client() {
    let mut found = Vec::new();
    let outside = sources::rust().into_iter().filter(|it| !it.path.starts_with("kafka/"));
    for file in outside.filter(|it| !it.path.starts_with("tests/tests/tidy/")) {
        let uses = |line: &str| line.contains("rdkafka::") || line.contains("use rdkafka");
        let uses = file.code().filter(|(_, line)| uses(line));
        found.extend(uses.map(|(number, line)| file.at(number, line)));
    }
    hold("client", found);
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let key_word = ["un", "safe"].concat();
    let mut found = Vec::new();
    for file in sources::rust().into_iter().filter(|it| it.path != "kafka/src/client/native.rs") {
        let is_word = |word: &str| word == key_word || word == format!("{key_word}_code");
        let uses = file.code().filter(|(_, line)| {
            line.split(|it: char| !it.is_alphanumeric() && it != '_').any(is_word)
        });
        found.extend(uses.map(|(number, line)| file.at(number, line)));
    }
    // The tidy test itself names the qualifiers of a function.
    found.retain(|(file, _)| file != "tests/tests/tidy/shape.rs");
    hold("isolation", found);
}
