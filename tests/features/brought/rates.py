"""Imported by `pricing`."""

PER_DAY = 86_400.0
