//! YAML as a tree in which every key and value knows its place.
//!
//! Deserializing straight into structs would stop at the first mistake, so the tree comes first.
//! Anchors, aliases and tags are refused: the file is data, not a template.

use std::vec;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::pipeline::place::{Place, Placed};
use crate::pipeline::problem::Findings;

/// A pipeline file is four levels deep; the rest is room for mistakes that get a better message.
const DEPTH_MAX: usize = 16;

/// A value of the file.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct Node {
    pub(in crate::pipeline) place: Place,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Nothing,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Placed<String>, Node)>),
}

impl Node {
    /// What the value is, in words.
    pub(super) fn found(&self) -> String {
        match &self.content {
            Content::Nothing => "nothing".to_owned(),
            Content::Text(text) => format!("`{text}`"),
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// The tree of a YAML text. None if it isn't YAML of the kind we read.
pub(super) fn parse(text: &str, findings: &mut Findings) -> Option<Node> {
    let mut events = Vec::new();
    for next in Parser::new_from_str(text) {
        match next {
            Ok((Event::Comment(..), _)) => {}
            Ok(event) => events.push(event),
            Err(error) => {
                let mark = error.marker();
                let place = Place::File { line: mark.line(), column: mark.col() + 1 };
                findings.add(place, format!("this isn't YAML: {}", error.info()));
                return None;
            }
        }
    }
    Tree { events: events.into_iter(), findings }.document()
}

struct Tree<'a, 'text> {
    events: vec::IntoIter<(Event<'text>, Span)>,
    findings: &'a mut Findings,
}

impl Tree<'_, '_> {
    fn document(&mut self) -> Option<Node> {
        let mut root = None;
        while let Some((event, span)) = self.events.next() {
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    self.findings
                        .add(place(span), "a pipeline file holds one document; remove `---`");
                    return None;
                }
                Event::DocumentStart(..) => {
                    let (event, span) = self.events.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => return self.refuse(span, "unexpected content"),
            }
        }
        if root.is_none() {
            let start = Place::File { line: 1, column: 1 };
            self.findings.add(start, "the file is empty; begin it with `pipeline: <name>`");
        }
        root
    }

    fn node(&mut self, event: Event<'_>, span: Span, depth: usize) -> Option<Node> {
        if depth > DEPTH_MAX {
            return self.refuse(span, "the file is nested too deeply");
        }
        let content = match event {
            Event::Scalar(text, style, 0, None) => scalar(&text, style),
            Event::SequenceStart(_, 0, None) => Content::List(self.list(depth)?),
            Event::MappingStart(_, 0, None) => Content::Map(self.map(depth)?),
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return self.refuse(span, "anchors and tags aren't read here; write plain values");
            }
            _ => return self.refuse(span, "aliases aren't read here; write the value out"),
        };
        Some(Node { place: place(span), content })
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut list = Vec::new();
        loop {
            match self.events.next()? {
                (Event::SequenceEnd, _) => return Some(list),
                (event, span) => list.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Option<Vec<(Placed<String>, Node)>> {
        let mut map: Vec<(Placed<String>, Node)> = Vec::new();
        loop {
            let key = match self.events.next()? {
                (Event::MappingEnd, _) => return Some(map),
                (event, span) => self.key(event, span, depth)?,
            };
            let (event, span) = self.events.next()?;
            let value = self.node(event, span, depth + 1)?;
            match map.iter().find(|(earlier, _)| earlier.value == key.value) {
                None => map.push((key, value)),
                Some((earlier, _)) => self.twice(&key, earlier.place),
            }
        }
    }

    fn key(&mut self, event: Event<'_>, span: Span, depth: usize) -> Option<Placed<String>> {
        let node = self.node(event, span, depth + 1)?;
        match node.content {
            Content::Text(value) => Some(Placed { value, place: node.place }),
            _ => self.refuse(span, "a key must be a plain word"),
        }
    }

    fn twice(&mut self, key: &Placed<String>, earlier: Place) {
        if let Place::File { line, .. } = earlier {
            let message = format!(
                "`{}` stands here a second time, first on line {line}; remove or rename one",
                key.value
            );
            self.findings.add(key.place, message);
        }
    }

    fn refuse<T>(&mut self, span: Span, message: &str) -> Option<T> {
        self.findings.add(place(span), message);
        None
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Content {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null") => Content::Nothing,
        _ => Content::Text(text.to_owned()),
    }
}

fn place(span: Span) -> Place {
    Place::File { line: span.start.line(), column: span.start.col() + 1 }
}
