"""Discovery of the worst slices, with one threshold for all slices that were looked at.

* `Feature`: what lists can be told apart by
* `find_slices(values, features, units)`: what one search finds, `Findings`
* `Searches`, `discover(searches, passes, per_query)`: those of an evaluation, over columns of its score table
"""

from eval.discovery.features import Feature
from eval.discovery.find import Against, Search, find_slices
from eval.discovery.findings import Finding, Findings
from eval.discovery.searches import Searches, discover

__all__ = [
    "Against",
    "Feature",
    "Finding",
    "Findings",
    "Search",
    "Searches",
    "discover",
    "find_slices",
]
