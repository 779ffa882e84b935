"""Scorers: each maps `(features, mask)` to scores float32 `[batch, list]`; see `ranker.data.layout` for the tensors."""
