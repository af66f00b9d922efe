//! ID tokens of persons and agents (R22, R23).
