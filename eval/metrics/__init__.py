"""Ranking metrics, one per file, as values: `parse_metric("ndcg@10")` gives one, `str()` prints it back.

Exports `Metric` (what a metric is), `METRICS` (the kinds by name), `parse_metric` and each kind: `NDCG`.
"""

import difflib
import re
from typing import Final

from eval.metrics.metric import Metric
from eval.metrics.ndcg import NDCG

__all__ = ["METRICS", "NDCG", "Metric", "parse_metric"]

METRICS: Final[dict[str, type[NDCG]]] = {"ndcg": NDCG}

_TEXT = re.compile(r"(?P<name>[a-z_]\w*)(@(?P<k>\d+))?(\((?P<options>[^()]*)\))?", re.ASCII)


def parse_metric(text: str) -> Metric:
    """Read `name`, `name@k` or `name@k(option=value, ...)`.

    >>> parse_metric("ndcg@10(gain=linear)")
    NDCG(k=10, gain='linear')

    Raises:
        ValueError: the text has another form, or names an unknown metric or option; the message lists what is known.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"metric {text!r}: expected name, name@k or name@k(option=value), such as ndcg@10")
    name, k = match["name"], match["k"]
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"metric {text!r}: unknown name {name!r}; known: {', '.join(sorted(METRICS))}{hint}")
    options: dict[str, str] = {}
    for pair in (match["options"] or "").split(",") if match["options"] is not None else ():
        option, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or option in options:
            raise ValueError(f"metric {text!r}: expected option=value, each option once, got {pair.strip()!r}")
        options[option] = value
    return METRICS[name].from_options(None if k is None else int(k), options)
