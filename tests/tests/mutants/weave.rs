//! Every mutant of a file in one text: a function that a mutant changes has its body once as it is
//! and once for each of its mutants, and a variable of the environment says which is run. So all of
//! them are compiled at once.

use std::ops::Range;

use syn::visit::{self, Visit};

/// The mutant that is run, by its number; none if it isn't set.
pub const WHICH: &str = "LONGSHORE_MUTANT";

/// A change of a few words, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The number by which it is run.
    pub number: usize,
    /// These words, which stand in the file once,
    pub words: &'a str,
    /// and what stands in their place.
    pub instead: &'a str,
}

/// The file with all of its changes woven in.
pub fn weave(text: &str, changes: &[Change]) -> Result<String, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut bodies = Bodies::default();
    bodies.visit_file(&file);
    let mut woven: Vec<(Range<usize>, Vec<Change>)> = Vec::new();
    for change in changes {
        let body = body_around(text, change, &bodies.0)?;
        match woven.iter_mut().find(|(range, _)| *range == body) {
            Some((_, changes)) => changes.push(*change),
            None => woven.push((body, vec![*change])),
        }
    }
    // From the end, so that what stands before keeps its place.
    woven.sort_by_key(|(body, _)| std::cmp::Reverse(body.start));
    let mut result = text.to_owned();
    for (body, changes) in woven {
        let replacement = in_turn(&text[body.clone()], &changes);
        result.replace_range(body, &replacement);
    }
    Ok(result)
}

fn body_around(
    text: &str,
    change: &Change,
    bodies: &[Range<usize>],
) -> Result<Range<usize>, String> {
    let Change { words, .. } = change;
    let mut places = text.match_indices(words);
    let (Some((at, _)), None) = (places.next(), places.next()) else {
        let times = text.matches(words).count();
        return Err(format!("`{words}` stands there {times} times"));
    };
    let around = bodies.iter().find(|body| body.start < at && at + words.len() < body.end);
    around.cloned().ok_or_else(|| format!("`{words}` stands in no function that isn't const"))
}

fn in_turn(body: &str, changes: &[Change]) -> String {
    let arms = changes.iter().map(|Change { number, words, instead }| {
        format!("{number} => {}\n", body.replacen(words, instead, 1))
    });
    let arms: String = arms.collect();
    format!(
        "{{ match {{ static WHICH: ::std::sync::LazyLock<usize> = ::std::sync::LazyLock::new(|| \
         ::std::env::var(\"{WHICH}\").ok().and_then(|it| it.parse().ok()).unwrap_or(usize::MAX)); \
         *WHICH }} {{\n{arms}_ => {body}\n}} }}"
    )
}

/// Where the outermost bodies of functions are, braces and all.
#[derive(Default)]
struct Bodies(Vec<Range<usize>>);

impl Bodies {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if signature.constness.is_none() {
            // Across both braces: this needs proc-macro2's feature `span-locations`.
            self.0.push(body.brace_token.span.join().byte_range());
        }
    }
}

impl<'a> Visit<'a> for Bodies {
    fn visit_item_fn(&mut self, it: &'a syn::ItemFn) {
        self.add(&it.sig, &it.block);
    }

    fn visit_impl_item_fn(&mut self, it: &'a syn::ImplItemFn) {
        self.add(&it.sig, &it.block);
    }

    fn visit_trait_item_fn(&mut self, it: &'a syn::TraitItemFn) {
        if let Some(body) = &it.default {
            self.add(&it.sig, body);
        }
        visit::visit_trait_item_fn(self, it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
const LIMIT: u32 = 7;
const fn fixed() -> u32 { 70 }
impl It {
    fn first(&self) -> u32 { self.0 + 1 }
    fn second(&self) -> u32 { let x = \"}\"; 2 }
}
";

    fn change(number: usize, words: &'static str, instead: &'static str) -> Change<'static> {
        Change { number, words, instead }
    }

    #[test]
    fn each_function_has_its_body_and_that_of_its_mutants() {
        let changes =
            [change(4, "+ 1", "+ 0"), change(9, "self.0", "7"), change(5, "; 2 ", "; 3 ")];
        let woven = weave(FILE, &changes).expect("woven");
        for arm in ["4 => { self.0 + 0 }", "9 => { 7 + 1 }", "_ => { self.0 + 1 }"] {
            assert!(woven.contains(arm), "no `{arm}`:\n{woven}");
        }
        assert!(woven.contains("5 => { let x = \"}\"; 3 }\n_ => { let x = \"}\"; 2 }"), "{woven}");
        assert!(woven.starts_with("const LIMIT: u32 = 7;\nconst fn fixed() -> u32 { 70 }\nimpl"));
        assert_eq!(woven.matches(WHICH).count(), 2);
        syn::parse_file(&woven).expect("it is Rust");
    }

    #[test]
    fn words_that_stand_nowhere_or_twice_or_in_no_body_are_refused() {
        for (words, why) in [("gone", "0 times"), ("u32 {", "3 times"), ("7;", "in no function")] {
            let refused = weave(FILE, &[change(0, words, "")]).expect_err(words);
            assert!(refused.contains(why), "{refused}");
        }
        assert!(weave(FILE, &[change(0, "70", "71")]).expect_err("const").contains("no function"));
    }
}
