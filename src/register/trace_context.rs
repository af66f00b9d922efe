//! Adds the trace context (W3C) to the metadata of a call, so that the spans of the register belong to the same trace.

use opentelemetry::global;
use opentelemetry::propagation::Injector;
use tonic::metadata::{MetadataKey, MetadataMap};

/// Adds the headers of the current trace. Adds nothing if there is no trace or if the process has no propagator.
pub(super) fn inject_trace_context(metadata: &mut MetadataMap) {
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
