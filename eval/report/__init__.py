"""The report of an evaluation: `data` says what report.json holds, `build` makes it, `file` writes and reads it."""
