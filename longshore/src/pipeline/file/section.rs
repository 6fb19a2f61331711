//! A section of the file: a mapping whose keys are known beforehand.

use crate::pipeline::draft::{NameList, Named};
use crate::pipeline::place::Placed;
use crate::pipeline::problem::{Findings, instead, nearest};
use crate::pipeline::settings::FromText;

use super::tree::{Content, Node};

/// What can be read from a value of the file.
pub(in crate::pipeline) trait FromNode: Sized {
    /// Reads it; what is wrong goes to the findings, under the name of its key.
    fn from_node(node: &Node, key: &str, findings: &mut Findings) -> Option<Self>;
}

impl<T: FromText> FromNode for T {
    fn from_node(node: &Node, key: &str, findings: &mut Findings) -> Option<Self> {
        let read = match &node.content {
            Content::Text(text) => T::from_text(text),
            _ => Err("a single value".to_owned()),
        };
        read.map_err(|expected| mismatch(node, key, &expected, findings)).ok()
    }
}

impl FromNode for NameList {
    fn from_node(node: &Node, key: &str, findings: &mut Findings) -> Option<Self> {
        let Content::List(nodes) = &node.content else {
            mismatch(node, key, "a list of names such as `[price, supply]`", findings);
            return None;
        };
        let names = nodes.iter().map(|node| {
            let value = String::from_node(node, key, findings)?;
            Some(Placed { value, place: node.place })
        });
        // All of them are read before one that can't be makes the list unreadable.
        let names: Vec<Option<Placed<String>>> = names.collect();
        names.into_iter().collect::<Option<Vec<_>>>().map(Self)
    }
}

/// A mapping with known keys, opened for reading.
pub(in crate::pipeline) struct Section<'a> {
    values: Vec<(&'a str, &'a Node)>,
}

impl<'a> Section<'a> {
    /// Opens a mapping. Unknown keys are problems; one that is a slip of a known key is read as
    /// that key, so that one slip is one problem.
    pub(in crate::pipeline) fn open(
        node: &'a Node,
        key: &str,
        known: &[&'a str],
        findings: &mut Findings,
    ) -> Option<Self> {
        let Content::Map(map) = &node.content else {
            let expected = format!("a mapping with some of {}", known.join(", "));
            mismatch(node, key, &expected, findings);
            return None;
        };
        let mut values = Vec::new();
        for (key, value) in map {
            if let Some(key) = recognize(key, known, findings) {
                values.push((key, value));
            }
        }
        Some(Self { values })
    }

    /// The value of a key, if it is there and can be read.
    pub(in crate::pipeline) fn value<T: FromNode>(
        &self,
        key: &str,
        findings: &mut Findings,
    ) -> Option<Placed<T>> {
        let node = self.node(key)?;
        T::from_node(node, key, findings).map(|value| Placed { value, place: node.place })
    }

    /// Sections under names of the user's choice, such as the stages.
    pub(super) fn named<T: FromNode>(
        &self,
        key: &str,
        kind: &str,
        findings: &mut Findings,
    ) -> Named<T> {
        match self.node(key) {
            None => Vec::new(),
            Some(Node { content: Content::Map(map), .. }) => map
                .iter()
                .filter_map(|(name, node)| {
                    findings.about(format!("{kind} `{}`", name.value));
                    Some((name.clone(), T::from_node(node, &name.value, findings)?))
                })
                .collect(),
            Some(node) => {
                findings.about("");
                mismatch(node, key, "a mapping from names to their settings", findings);
                Vec::new()
            }
        }
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.values.iter().find(|(own, _)| *own == key).map(|(_, node)| *node)
    }
}

fn recognize<'a>(
    key: &Placed<String>,
    known: &[&'a str],
    findings: &mut Findings,
) -> Option<&'a str> {
    if let Some(known) = known.iter().find(|known| **known == key.value) {
        return Some(known);
    }
    let remedy = instead(&key.value, known.iter().copied());
    findings.add(key.place, format!("unknown key `{}`; {remedy}", key.value));
    nearest(&key.value, known)
}

fn mismatch(node: &Node, key: &str, expected: &str, findings: &mut Findings) {
    findings.add(node.place, format!("`{key}`: expected {expected}, found {}", node.found()));
}
