"""Discovery of the worst slices: `find_slices`, with one threshold for all slices that were looked at.

* `Feature`: what lists can be told apart by
* `find_slices(values, features, units)`: the findings, a `Discovery`
* `find_worst(per_query, metric, model)`: the same from the figures of each list, `eval.per_query`
"""

from eval.discovery.features import Feature
from eval.discovery.find import Search, find_slices
from eval.discovery.findings import Discovery, Finding
from eval.discovery.worst import features_of, find_worst, list_features

__all__ = [
    "Discovery",
    "Feature",
    "Finding",
    "Search",
    "features_of",
    "find_slices",
    "find_worst",
    "list_features",
]
