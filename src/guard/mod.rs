//! Redis: the fast guard. Limits and holds, each decision one atomic script.
