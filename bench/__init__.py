"""Measures a running hotline from outside, on the wire: many callers in one process, no SIP or media library."""
