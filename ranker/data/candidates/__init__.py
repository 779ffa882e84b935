"""Where the documents of a list come from, if not from the judgments alone."""
