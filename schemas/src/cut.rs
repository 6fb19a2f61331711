//! Text that must not pass a bound.

/// The text's beginning, at most `bytes_max` bytes, ending between two characters.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn text_is_cut_between_two_characters() {
        assert_eq!(cut("über", 0), "");
        assert_eq!(cut("über", 1), "");
        assert_eq!(cut("über", 2), "ü");
        assert_eq!(cut("über", 99), "über");
    }
}
