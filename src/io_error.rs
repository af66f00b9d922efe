//! Finds the cause of a failed call to another system, for the log.

use std::error::Error;
use std::io;

/// The input/output error behind `error`, such as a refused connection or a failed TLS handshake. The other errors in the
/// chain are left out, because they can repeat bytes that the other system sent.
pub(crate) fn find_io_error(error: &(dyn Error + 'static)) -> Option<String> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.to_string());
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the bytes that they sent")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_io_error_is_named_and_the_errors_around_it_are_not() {
        let refused = Outer(io::Error::new(io::ErrorKind::ConnectionRefused, "refused"));
        assert_eq!(find_io_error(&refused), Some("refused".to_owned()));
        assert_eq!(find_io_error(&io::Error::other(refused)), Some("refused".to_owned()));
        assert_eq!(find_io_error(&std::fmt::Error), None);
    }
}
