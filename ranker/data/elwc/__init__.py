"""ExampleListWithContext records: as a source, and as raw lists are kept."""
