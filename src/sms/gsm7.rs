//! The GSM 7-bit default alphabet (3GPP TS 23.038 §6.2.1), in which an SMS of one segment holds 160 septets.

/// The basic table by code; escape (0x1B) is left out. One septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table. Two septets each: escape and code.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Length of a text in septets. `None`: a character is not in the alphabet, and the SMS would be UCS-2.
pub(crate) fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|character| match character {
            _ if BASIC.contains(character) => Some(1),
            _ if EXTENSION.contains(character) => Some(2),
            _ => None,
        })
        .sum()
}

mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tables_have_their_size() {
        let mut all: Vec<char> = BASIC.chars().chain(EXTENSION.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((BASIC.chars().count(), EXTENSION.chars().count(), all.len()), (127, 10, 137));
    }

    #[test]
    fn danish_letters_fit_and_typographic_ones_do_not() {
        assert_eq!(septets("Rødgrød på ærø, ÆØÅ"), Some(19));
        assert_eq!(septets("[10 €]"), Some(9));
        for character in ["ĸ", "–", "…", "’", "â", "\u{2068}", "ð"] {
            assert_eq!(septets(character), None, "{character}");
        }
    }

    fn letters(table: &'static str) -> impl Strategy<Value = Vec<char>> {
        prop::collection::vec(prop::sample::select(table.chars().collect::<Vec<_>>()), 0..200)
    }

    proptest! {
        #[test]
        fn a_basic_letter_counts_one_and_an_extension_two(basic in letters(BASIC), extension in letters(EXTENSION)) {
            let length = basic.len() + 2 * extension.len();
            let text: String = extension.into_iter().chain(basic).collect();
            prop_assert_eq!(septets(&text), Some(length));
        }

        #[test]
        fn one_foreign_character_spoils_the_text(before in letters(BASIC), foreign: char, after in letters(EXTENSION)) {
            prop_assume!(!BASIC.contains(foreign) && !EXTENSION.contains(foreign));
            let text: String = before.into_iter().chain([foreign]).chain(after).collect();
            prop_assert_eq!(septets(&text), None);
        }
    }
}
