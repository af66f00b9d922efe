//! Configuration: one TOML file, environment overrides.
