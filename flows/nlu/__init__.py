"""Spoken answers to values, English and Mandarin. Pure: text in, value or None out."""
