"""Dialogue: TOML flows, their checker, and the pure engine that runs them. No I/O, no clock."""
