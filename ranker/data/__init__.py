"""Raw data: connectors that yield batches of lists, splits, records on disk, requests, artefacts. Arrow and numpy."""
