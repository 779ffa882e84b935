"""Logs of clicks as a source, and how likely each position is looked at."""
