//! Puts the trace context (W3C) into the metadata of a call, so that the register's spans join ours.

use opentelemetry::global;
use opentelemetry::propagation::Injector;
use tonic::metadata::{MetadataKey, MetadataMap};

/// Adds the headers of the process's propagator for the trace at this place. Without one, or without a trace, nothing is
/// added.
pub(super) fn inject(metadata: &mut MetadataMap) {
    global::get_text_map_propagator(|propagator| propagator.inject(&mut MetadataInjector(metadata)));
}

struct MetadataInjector<'a>(&'a mut MetadataMap);

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (MetadataKey::from_bytes(key.as_bytes()), value.parse()) {
            self.0.insert(key, value);
        }
    }
}
