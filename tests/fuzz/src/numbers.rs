//! CPR numbers, mobile numbers and PINs.

use temporary_pin::domain::cpr::CprNumber;
use temporary_pin::domain::mobile::MobileNumber;
use temporary_pin::domain::pin::Pin;

use super::{assert_no_digit_shown, text};

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// An accepted CPR number has the ten digits of the input, and is masked.
pub fn cpr_number(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    match CprNumber::parse(text) {
        Ok(number) => {
            assert_eq!(number.digits(), digits_of(text));
            assert_eq!(number.digits().len(), 10);
            let hyphenated = format!("{}-{}", &number.digits()[..6], &number.digits()[6..]);
            assert!(CprNumber::parse(&hyphenated) == Ok(number.clone()));
            assert_no_digit_shown(&number);
            true
        }
        Err(error) => {
            assert_no_digit_shown(&error);
            false
        }
    }
}

/// An accepted mobile number keeps its text, and shows at most two digits beside its country code.
pub fn mobile_number(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(number) = MobileNumber::parse(text) else { return false };
    assert_eq!(number.e164(), text);
    assert_eq!(format!("+{}", digits_of(text)), text);
    assert!((3..=16).contains(&text.len()), "{text}");
    assert_no_digit_shown(&number);
    let code = format!("+{}", number.calling_code());
    let masked = number.masked();
    let shown = digits_of(masked.strip_prefix(&code).expect("the masked number begins with its country"));
    assert!(shown.len() <= 2 && text.ends_with(&shown), "{masked}");
    assert_eq!(masked.matches('*').count() + shown.len() + code.len(), text.len(), "{masked}");
    true
}

/// An accepted PIN has eight digits, and is masked.
pub fn pin(data: &[u8]) -> bool {
    let Some(text) = text(data) else { return false };
    let Ok(pin) = Pin::parse(text) else { return false };
    assert_eq!(pin.digits(), text.replace(' ', ""));
    assert_eq!(digits_of(pin.digits()).len(), 8);
    assert!(Pin::parse(pin.digits()) == Ok(pin.clone()));
    assert_no_digit_shown(&pin);
    true
}
