"""What other tools choose where tools differ: options to parse metrics with, to get their figures."""

from collections.abc import Mapping
from typing import Final

__all__ = ["CONTRACTS"]

CONTRACTS: Final[Mapping[str, Mapping[str, str]]] = {
    # Means over the queries of the run that are judged; `trec_eval -c` is missing=zero. It also compares scores as
    # float32, and reads negative labels as judged and not relevant: cast scores and labels before they come here.
    "trec_eval": {"gain": "linear", "ties": "docid", "empty": "zero", "ideal": "judged", "missing": "skip"},
    "lightgbm": {"gain": "exp2", "ties": "stable", "empty": "one", "ideal": "listed", "norm": "reachable"},
    "scikit-learn": {"gain": "linear", "ties": "average", "empty": "zero", "ideal": "listed"},
}
"""Options by tool; what a metric does not have, or does not take, is left out for it."""
