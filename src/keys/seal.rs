//! Sealing: encryption with authentication (AES-256-GCM) for values that the service stores or hands out and reads back.

use aws_lc_rs::aead::{Aad, MAX_TAG_LEN, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use super::KeyRing;

/// Length in bytes of the id of the key, which comes first in a sealed value.
const KEY_ID_LENGTH: usize = size_of::<i32>();

/// Length in bytes of the header of a sealed value: key id and nonce.
const HEADER_LENGTH: usize = KEY_ID_LENGTH + NONCE_LEN;

/// A sealed value cannot be opened: it is damaged, it was sealed with another context, or its key is not in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub struct OpenError;

impl KeyRing {
    /// Seals a value. It opens with this key ring and the same `context` only.
    #[must_use]
    pub fn seal(&self, context: &[u8], value: &[u8]) -> Vec<u8> {
        let (key_id, key) = self.sealing.active();
        // Full capacity from the start: a vector that grows is moved, and leaves a copy of the value in memory.
        let mut body = Vec::with_capacity(value.len() + MAX_TAG_LEN);
        body.extend_from_slice(value);
        let nonce =
            key.seal_in_place_append_tag(Aad::from(context), &mut body).expect("AES-GCM seals values of this size");
        [key_id.to_be_bytes().as_slice(), nonce.as_ref(), &body].concat()
    }

    /// Opens a value that was sealed with the same `context`.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (header, body) = sealed.split_at_checked(HEADER_LENGTH).ok_or(OpenError)?;
        let (key_id, nonce) = header.split_first_chunk::<KEY_ID_LENGTH>().ok_or(OpenError)?;
        let key = self.sealing.get(i32::from_be_bytes(*key_id)).ok_or(OpenError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = key.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| OpenError)?.len();
        body.truncate(length);
        Ok(body)
    }
}
