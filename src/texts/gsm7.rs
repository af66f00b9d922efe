//! The GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1). Tests use it to check that each text fits into one SMS.

/// The most septets (7-bit units) in an SMS of one segment.
pub(crate) const SEPTETS_PER_SEGMENT: usize = 160;

/// The basic character table in the order of the codes, without the escape code (0x1B). Each character takes one septet.
const BASIC_TABLE: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table. Each character takes two septets: the escape code and its own code.
const EXTENSION_TABLE: &str = "\u{c}^{}\\[~]|€";

/// The length of a text in septets. `None` if a character is not in the alphabet: such an SMS is sent as UCS-2, which has room
/// for fewer characters.
pub(crate) fn count_septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|character| match character {
            _ if BASIC_TABLE.contains(character) => Some(1),
            _ if EXTENSION_TABLE.contains(character) => Some(2),
            _ => None,
        })
        .sum()
}

mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tables_have_the_size_of_the_standard() {
        let mut all: Vec<char> = BASIC_TABLE.chars().chain(EXTENSION_TABLE.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((BASIC_TABLE.chars().count(), EXTENSION_TABLE.chars().count(), all.len()), (127, 10, 137));
    }

    #[test]
    fn danish_letters_are_in_the_alphabet_and_typographic_characters_are_not() {
        assert_eq!(count_septets("Rødgrød på ærø, ÆØÅ"), Some(19));
        assert_eq!(count_septets("[10 €]"), Some(9));
        for character in ["ĸ", "–", "…", "’", "â", "\u{2068}", "ð"] {
            assert_eq!(count_septets(character), None, "{character}");
        }
    }

    fn characters(table: &'static str) -> impl Strategy<Value = Vec<char>> {
        prop::collection::vec(prop::sample::select(table.chars().collect::<Vec<_>>()), 0..200)
    }

    proptest! {
        #[test]
        fn a_basic_character_counts_one_and_an_extension_two(basic in characters(BASIC_TABLE), extension in characters(EXTENSION_TABLE)) {
            let length = basic.len() + 2 * extension.len();
            let text: String = extension.into_iter().chain(basic).collect();
            prop_assert_eq!(count_septets(&text), Some(length));
        }

        #[test]
        fn one_foreign_character_makes_the_text_ucs_2(before in characters(BASIC_TABLE), foreign: char, after in characters(EXTENSION_TABLE)) {
            prop_assume!(!BASIC_TABLE.contains(foreign) && !EXTENSION_TABLE.contains(foreign));
            let text: String = before.into_iter().chain([foreign]).chain(after).collect();
            prop_assert_eq!(count_septets(&text), None);
        }
    }
}
