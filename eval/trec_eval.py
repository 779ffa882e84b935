"""What trec_eval does in its own way: names of measures, labels, precision of scores.

https://github.com/usnistgov/trec_eval, version 9. Its other choices are options of metrics (`eval.metrics.CONTRACTS`).
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from eval.metrics import Metric, parse_metric
from eval.ragged import FloatArray

__all__ = ["float32_scores", "metric_of", "whole_labels"]

_WHOLE: Final[Mapping[str, str]] = {"recip_rank": "mrr", "set_recall": "recall"}
_CUT: Final[Mapping[str, str]] = {
    "ndcg_cut": "ndcg",
    "map_cut": "map",
    "P": "p",
    "recall": "recall",
    "success": "success",
}
_OTHERS: Final = (
    *("11pt_avg", "G", "Rndcg", "Rprec", "Rprec_mult", "binG", "bpref", "gm_bpref", "gm_map", "infAP"),
    *("iprec_at_recall", "ndcg_rel", "num_nonrel_judged_ret", "num_q", "num_rel", "num_rel_ret", "num_ret"),
    *("relative_P", "relstring", "runid", "set_F", "set_P", "set_map", "set_relative_P", "utility", "yaap"),
)
_NAME: Final = re.compile(r"(?P<name>[A-Za-z]\w*?)([._](?P<k>\d+))?", re.ASCII)


def metric_of(text: str, contract: str | None = None) -> tuple[str, Metric]:
    """A metric by our name or, under the contract of trec_eval, by its name there (`ndcg_cut_10` or `ndcg_cut.10`).

    >>> metric_of("P.5", "trec_eval")[0]
    'P_5'

    Args:
        text: the metric.
        contract: `trec_eval` or None.

    Returns:
        The name to print, and the metric.

    Raises:
        ValueError: it is not known, or not computed here.
    """
    text = text.strip()
    match = _NAME.fullmatch(text)
    name, k = (match["name"], match["k"]) if match else (text, None)
    ours = _CUT.get(name) if k else _WHOLE.get(name)
    if ours is None:
        _refuse_others(text)
        return text, parse_metric(text, contract)
    as_ours = f"{ours}@{k}" if k else ours
    if contract != "trec_eval":
        raise ValueError(
            f"metric {text!r} is a name of trec_eval; write {as_ours}, or have its figures with contract trec_eval"
        )
    return f"{name}_{k}" if k else name, parse_metric(as_ours, contract)


def whole_labels(labels: FloatArray) -> FloatArray:
    """Labels as trec_eval reads them: what follows the decimal point is cut; negative is judged and not relevant."""
    return np.maximum(np.trunc(labels), 0.0)


def float32_scores(scores: FloatArray) -> FloatArray:
    """Scores in the precision in which trec_eval 9 keeps them: float64 [n] that are float32, infinite beyond these."""
    with np.errstate(over="ignore"):
        return scores.astype(np.float32).astype(np.float64)


def _refuse_others(text: str) -> None:
    if text in _CUT.keys() - _CUT.values():
        raise ValueError(f"metric {text!r}: needs a cutoff, such as {text}_10")
    if any(re.fullmatch(rf"{name}([._].*)?", text) for name in _OTHERS):
        cut = ", ".join(f"{family}_K" for family in _CUT)
        raise ValueError(
            f"metric {text!r}: this measure of trec_eval is not computed here; of its measures there are ndcg, map,"
            f" {', '.join(_WHOLE)}, {cut}"
        )
