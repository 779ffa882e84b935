"""Tables as a source: readers of their files, the join to lists, values of every type."""
