"""Statistics of raw lists: added up, kept as tensorflow-metadata, compared, shown as a page. No TensorFlow here."""
