use proptest::prelude::*;
use temporary_pin::domain::mobile::MobileNumber;

const DESTINATIONS: [u16; 3] = [45, 299, 298];

/// Mobile numbers by the numbering plans of Denmark, Greenland and the Faroes, with their calling codes.
fn mobile() -> impl Strategy<Value = (u16, String)> {
    prop_oneof![
        ("(2[0-9]|3[01]|4[0-2]|5[0-3]|6[01]|71|81|9[1-3])[0-9]{6}").prop_map(|number| (45, number)),
        ("[245][0-9]{5}").prop_map(|number| (299, number)),
        ("([27][1-9]|5[0-9]|9[136])[0-9]{4}").prop_map(|number| (298, number)),
    ]
}

proptest! {
    #[test]
    fn r14_mobile_numbers_are_allowed_and_masked_but_for_two_digits((code, national) in mobile()) {
        let text = format!("+{code}{national}");
        let number = MobileNumber::parse(&text).expect("a mobile number");
        prop_assert_eq!(number.e164(), text.as_str());
        prop_assert_eq!(number.calling_code(), code);
        prop_assert!(number.is_allowed(&DESTINATIONS));
        prop_assert!(!number.is_allowed(&[46]));

        let (shown, expected_stars) = (number.masked(), national.len() - 2);
        let masked = shown.strip_prefix(&format!("+{code} ")).expect("the calling code").replace(' ', "");
        prop_assert_eq!(masked, format!("{}{}", "*".repeat(expected_stars), &national[expected_stars..]));
    }

    #[test]
    fn r14_toll_free_and_premium_numbers_are_no_destination(national in "(80|90)[0-9]{6}") {
        let number = MobileNumber::parse(&format!("+45{national}"));
        prop_assert!(!number.is_ok_and(|number| number.is_allowed(&DESTINATIONS)));
    }

    #[test]
    fn r14_only_e164_is_parsed(text in prop_oneof![any::<String>(), "\\+?[0-9 ()-]{0,17}", "\\+(45|299|298)[0-9]{4,10}"]) {
        if let Ok(number) = MobileNumber::parse(&text) {
            let digits = text.strip_prefix('+').expect("a plus sign");
            prop_assert!((5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(number.e164(), text.as_str());
        }
    }

    #[test]
    fn r14_numbers_of_another_length_are_refused(
        code in prop_oneof![Just((45_u16, 8)), Just((299, 6)), Just((298, 6))], national in "[2-9][0-9]{3,10}",
    ) {
        let (code, length) = code;
        prop_assume!(national.len() != length);
        let text = format!("+{code}{national}");
        prop_assert!(MobileNumber::parse(&text).is_err());
    }
}
