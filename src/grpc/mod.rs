//! The gRPC edge: services, conversions, statuses, layers.
