//! Reads a completion rule from the pipeline file's text.
//!
//! ```text
//! when  := all_done | all_ended | any_done | quorum(K) | fraction(X) | or
//! or    := and ("or" and)*
//! and   := unary ("and" unary)*
//! unary := "not" unary | "(" or ")" | STAGE "." (done | skipped | failed | ended)
//! ```

use std::str::FromStr;

use thiserror::Error;

use super::{Expr, Predicate, Share, When};

/// How deep parentheses and `not` may be nested: far more than a reader can follow, and little
/// enough for any thread's stack.
const DEPTH_MAX: usize = 32;

const A_RULE: &str = "all_done, all_ended, any_done, quorum(k), fraction(x) \
                      or an expression over stages such as price.done";
const A_PREDICATE: &str = "done, skipped, failed or ended";
const AN_OPERAND: &str = "a stage such as price.done, `not` or `(`";

/// What is wrong with the text of a rule, and at which of its characters (1 is the first).
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WhenError {
    /// Something else was due here.
    #[error("column {column}: found {found}, expected {expected}")]
    Unexpected {
        /// The first character of what was found.
        column: usize,
        /// What stands there.
        found: String,
        /// What could stand there.
        expected: &'static str,
    },
    /// A number that the rule can't use.
    #[error("column {column}: `{text}` is no {expected}")]
    Number {
        /// The first character of the number.
        column: usize,
        /// The number as written.
        text: String,
        /// What it must be.
        expected: &'static str,
    },
    /// More than 32 parentheses and `not`s within one another.
    #[error(
        "column {column}: more than {DEPTH_MAX} levels of `not` and parentheses; write it flatter"
    )]
    TooDeep {
        /// Where the level too many begins.
        column: usize,
    },
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        let mut parser = Parser { rest: text, column: 1 };
        let when = parser.when()?;
        parser.end(&when)?;
        Ok(when)
    }
}

impl TryFrom<String> for When {
    type Error = WhenError;

    fn try_from(text: String) -> Result<Self, WhenError> {
        text.parse()
    }
}

/// One piece of the text, and where it begins.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    column: usize,
}

impl Token<'_> {
    fn unexpected(self, expected: &'static str) -> WhenError {
        let found = match self.text {
            "" => "the end".into(),
            text => format!("`{text}`"),
        };
        WhenError::Unexpected { column: self.column, found, expected }
    }

    fn is_name(self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && !matches!(self.text, "and" | "or" | "not")
    }
}

/// What of the text is still to be read.
struct Parser<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Parser<'a> {
    fn when(&mut self) -> Result<When, WhenError> {
        let start = Self { rest: self.rest, column: self.column };
        let first = self.next();
        // A stage may have the name of a rule: `quorum.done` is a stage's predicate.
        if self.peek().text == "." {
            *self = start;
            return self.any(1).map(When::Stages);
        }
        match first.text {
            "all_done" => Ok(When::AllDone),
            "all_ended" => Ok(When::AllEnded),
            "any_done" => Ok(When::AnyDone),
            "quorum" => self.argument(quorum),
            "fraction" => self.argument(fraction),
            "not" | "(" => {
                *self = start;
                self.any(1).map(When::Stages)
            }
            _ if first.is_name() && !self.peek().text.is_empty() => {
                Err(self.peek().unexpected("`.` and then done, skipped, failed or ended"))
            }
            _ => Err(first.unexpected(A_RULE)),
        }
    }

    /// The number in parentheses after the name of a rule.
    fn argument(
        &mut self,
        read: fn(Token<'a>) -> Result<When, WhenError>,
    ) -> Result<When, WhenError> {
        self.take("(", "`(` and a number")?;
        let when = read(self.next())?;
        self.take(")", "`)`")?;
        Ok(when)
    }

    fn any(&mut self, depth: usize) -> Result<Expr, WhenError> {
        let mut operands = vec![self.all(depth)?];
        while self.peek().text == "or" {
            self.next();
            operands.push(self.all(depth)?);
        }
        Ok(only_or(operands, Expr::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Expr, WhenError> {
        let mut operands = vec![self.unary(depth)?];
        while self.peek().text == "and" {
            self.next();
            operands.push(self.unary(depth)?);
        }
        Ok(only_or(operands, Expr::And))
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, WhenError> {
        let token = self.next();
        if depth > DEPTH_MAX {
            return Err(WhenError::TooDeep { column: token.column });
        }
        match token.text {
            "not" => Ok(Expr::Not(Box::new(self.unary(depth + 1)?))),
            "(" => {
                let inner = self.any(depth + 1)?;
                self.take(")", "`and`, `or` or `)`")?;
                Ok(inner)
            }
            _ if token.is_name() => self.predicate(token),
            _ => Err(token.unexpected(AN_OPERAND)),
        }
    }

    fn predicate(&mut self, stage: Token<'a>) -> Result<Expr, WhenError> {
        self.take(".", "`.` and then done, skipped, failed or ended")?;
        let token = self.next();
        let predicate = match token.text {
            "done" => Predicate::Done,
            "skipped" => Predicate::Skipped,
            "failed" => Predicate::Failed,
            "ended" => Predicate::Ended,
            _ => return Err(token.unexpected(A_PREDICATE)),
        };
        Ok(Expr::Stage(stage.text.into(), predicate))
    }

    fn end(&mut self, when: &When) -> Result<(), WhenError> {
        match when {
            When::Stages(_) => self.take("", "`and`, `or` or the end"),
            _ => self.take("", "the end"),
        }
    }

    fn take(&mut self, text: &str, expected: &'static str) -> Result<(), WhenError> {
        let token = self.next();
        if token.text == text { Ok(()) } else { Err(token.unexpected(expected)) }
    }

    fn peek(&self) -> Token<'a> {
        Self { rest: self.rest, column: self.column }.next()
    }

    /// The next piece: a name, a number with its `%`, any other single character; empty at the end.
    fn next(&mut self) -> Token<'a> {
        let blank = self.rest.len() - self.rest.trim_start().len();
        self.advance(blank);
        let length = match self.rest.chars().next() {
            None => 0,
            Some(first) if first.is_ascii_digit() => {
                self.run(|c| c.is_ascii_digit() || ".%".contains(c))
            }
            Some(first) if is_of_name(first) => self.run(is_of_name),
            Some(other) => other.len_utf8(),
        };
        let token = Token { text: &self.rest[..length], column: self.column };
        self.advance(length);
        token
    }

    /// How many bytes the characters take that `belongs` holds for.
    fn run(&self, belongs: impl Fn(char) -> bool) -> usize {
        self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len())
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.column += passed.chars().count();
        self.rest = rest;
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn only_or(mut operands: Vec<Expr>, many: fn(Vec<Expr>) -> Expr) -> Expr {
    match operands.pop() {
        Some(only) if operands.is_empty() => only,
        last => {
            operands.extend(last);
            many(operands)
        }
    }
}

fn quorum(token: Token<'_>) -> Result<When, WhenError> {
    match token.text.parse() {
        Ok(parts) if parts > 0 => Ok(When::Quorum(parts)),
        _ => Err(number(token, "number of parts, 1 or more")),
    }
}

fn fraction(token: Token<'_>) -> Result<When, WhenError> {
    match token.text.parse::<Share>() {
        Ok(share) if !share.is_zero() => Ok(When::Fraction(share)),
        _ => Err(number(token, "share above 0, at most 1, such as 0.9 or 90%")),
    }
}

fn number(token: Token<'_>, expected: &'static str) -> WhenError {
    if token.text.is_empty() || token.text == ")" {
        return token.unexpected("a number");
    }
    WhenError::Number { column: token.column, text: token.text.into(), expected }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stage(name: &str, predicate: Predicate) -> Expr {
        Expr::Stage(name.into(), predicate)
    }

    #[test]
    fn the_plain_rules_are_read() {
        let share = |text: &str| When::Fraction(text.parse().unwrap());
        for (text, when) in [
            ("all_done", When::AllDone),
            (" all_ended ", When::AllEnded),
            ("any_done", When::AnyDone),
            ("quorum(3)", When::Quorum(3)),
            ("quorum ( 3 )", When::Quorum(3)),
            ("fraction(0.9)", share("0.9")),
            ("fraction(90%)", share("0.9")),
            ("fraction(1)", share("1")),
        ] {
            assert_eq!(text.parse(), Ok(when), "{text}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        let (a, b, c) = (
            stage("a", Predicate::Done),
            stage("b", Predicate::Skipped),
            stage("c", Predicate::Failed),
        );
        let not_c = Expr::Not(Box::new(c));
        assert_eq!(
            "a.done or b.skipped and not c.failed".parse(),
            Ok(When::Stages(Expr::Or(vec![a.clone(), Expr::And(vec![b.clone(), not_c.clone()])])))
        );
        assert_eq!(
            "(a.done or b.skipped) and not c.failed".parse(),
            Ok(When::Stages(Expr::And(vec![Expr::Or(vec![a, b]), not_c])))
        );
    }

    #[test]
    fn a_stage_may_have_the_name_of_a_rule() {
        let expected =
            Expr::And(vec![stage("quorum", Predicate::Done), stage("all_done", Predicate::Ended)]);
        assert_eq!("quorum.done and all_done.ended".parse(), Ok(When::Stages(expected)));
        assert_eq!("x-2_y.done".parse(), Ok(When::Stages(stage("x-2_y", Predicate::Done))));
    }

    #[test]
    fn an_error_names_the_column_and_what_was_expected() {
        for (text, message) in [
            (
                "",
                "column 1: found the end, expected all_done, all_ended, any_done, quorum(k), \
                  fraction(x) or an expression over stages such as price.done",
            ),
            (
                "all_dne",
                "column 1: found `all_dne`, expected all_done, all_ended, any_done, \
                         quorum(k), fraction(x) or an expression over stages such as price.done",
            ),
            ("all_done now", "column 10: found `now`, expected the end"),
            ("quorum", "column 7: found the end, expected `(` and a number"),
            ("quorum()", "column 8: found `)`, expected a number"),
            ("quorum(0)", "column 8: `0` is no number of parts, 1 or more"),
            ("quorum(-1)", "column 8: `-1` is no number of parts, 1 or more"),
            ("quorum(1.5)", "column 8: `1.5` is no number of parts, 1 or more"),
            ("quorum(3", "column 9: found the end, expected `)`"),
            (
                "fraction(1.5)",
                "column 10: `1.5` is no share above 0, at most 1, such as 0.9 or 90%",
            ),
            ("fraction(0)", "column 10: `0` is no share above 0, at most 1, such as 0.9 or 90%"),
            (
                "price done",
                "column 7: found `done`, expected `.` and then done, skipped, failed or ended",
            ),
            (
                "a.done and b",
                "column 13: found the end, expected `.` and then done, skipped, failed or ended",
            ),
            ("price.don", "column 7: found `don`, expected done, skipped, failed or ended"),
            (
                "a.done and",
                "column 11: found the end, expected a stage such as price.done, `not` or `(`",
            ),
            ("a.done b.done", "column 8: found `b`, expected `and`, `or` or the end"),
            ("(a.done", "column 8: found the end, expected `and`, `or` or `)`"),
            ("é.done & b.done", "column 8: found `&`, expected `and`, `or` or the end"),
        ] {
            let error = text.parse::<When>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_length_is_not() {
        let nested = |levels: usize| {
            format!("{}a.done{}", "(".repeat(levels), ")".repeat(levels)).parse::<When>()
        };
        assert!(nested(DEPTH_MAX - 1).is_ok());
        assert_eq!(nested(DEPTH_MAX), Err(WhenError::TooDeep { column: DEPTH_MAX + 1 }));
        assert!(format!("{}a.done", "not ".repeat(100_000)).parse::<When>().is_err());
        assert!(format!("{}a.done", "a.done and ".repeat(10_000)).parse::<When>().is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_within_its_bounds(text in "[a-c.() 0-9%é]{0,40}|\\PC{0,9}") {
            if let Err(WhenError::Unexpected { column, .. } | WhenError::Number { column, .. }) =
                text.parse::<When>()
            {
                prop_assert!((1..=text.chars().count() + 1).contains(&column));
            }
        }
    }
}
