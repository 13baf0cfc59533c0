"""Hearing: voice activity, end-pointing, and one adapter per recogniser."""
