"""LETOR files as a source."""
