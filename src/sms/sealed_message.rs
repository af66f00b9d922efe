//! Messages as the outbox stores them: recipient and text, sealed with the key ring.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::mobile::MobileNumber;
use crate::keys::{KeyRing, OpenError};

/// The plaintext, encoded as JSON.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Body {
    recipient: String,
    text: String,
}

/// Plaintexts are padded to a multiple of this length in bytes, so that the length of a sealed message reveals neither language
/// nor country. Every message fits in one step. The padding is spaces, which JSON ignores.
const PADDING_STEP: usize = 512;

/// Seals the message with this `id` for the outbox. It cannot be opened as another message.
#[must_use]
pub fn seal_message(keys: &KeyRing, id: Uuid, recipient: &MobileNumber, text: &str) -> Vec<u8> {
    let body = Body { recipient: recipient.e164().to_owned(), text: text.to_owned() };
    let mut plaintext = Zeroizing::new(Vec::with_capacity(PADDING_STEP));
    serde_json::to_writer(&mut *plaintext, &body).expect("strings are JSON");
    let length = plaintext.len().next_multiple_of(PADDING_STEP);
    plaintext.resize(length, b' ');
    keys.seal(id.as_bytes(), &plaintext)
}

/// Opens the sealed message with this `id`. Returns recipient and text.
pub fn open_message(keys: &KeyRing, id: Uuid, sealed: &[u8]) -> Result<(MobileNumber, Zeroizing<String>), OpenError> {
    let plaintext = keys.open(id.as_bytes(), sealed)?;
    let mut body: Body = serde_json::from_slice(&plaintext).map_err(|_| OpenError)?;
    let recipient = MobileNumber::parse(&body.recipient).map_err(|_| OpenError)?;
    Ok((recipient, Zeroizing::new(std::mem::take(&mut body.text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys, random};

    #[test]
    fn a_sealed_message_opens_with_its_own_id_only() {
        let keys = KeyRing::parse(&keys::generate(&mut random::secure())).unwrap();
        let recipient = MobileNumber::parse("+4520123456").unwrap();
        let id = Uuid::from_u128(1);
        let sealed = seal_message(&keys, id, &recipient, "PIN 1234 5678");

        let (opened_recipient, text) = open_message(&keys, id, &sealed).unwrap();
        assert_eq!((opened_recipient, text.as_str()), (recipient, "PIN 1234 5678"));
        assert!(open_message(&keys, Uuid::from_u128(2), &sealed).is_err());
        let longest = seal_message(&keys, id, &MobileNumber::parse("+299521234").unwrap(), &"ø".repeat(160));
        assert_eq!(sealed.len(), longest.len(), "the length reveals nothing");
        assert!(!sealed.windows(4).any(|bytes| bytes == b"1234" || bytes == b"2012"), "in the clear");
    }
}
