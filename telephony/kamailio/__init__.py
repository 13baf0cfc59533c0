"""Kamailio as the front door: its configuration, and what keeps it informed of workers and accounts."""
