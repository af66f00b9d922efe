//! Texts that a person reads or hears, in da, en and kl.
