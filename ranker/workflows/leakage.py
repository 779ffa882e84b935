"""Features that know the label: said loudly, because such a model is worthless online."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np

from eval.metrics import NDCG
from ranker.data.layout import Layout
from training.fit import stack_lists
from training.inputs import read_packed

__all__ = ["label_leaks"]

_LISTS_PER_BATCH = 50
_BATCHES = 20
_FEWEST_LISTS = 20
_TOO_GOOD = 0.995  # NDCG; real features do not order nearly every list without a fault


def label_leaks(files: list[Path], layout: Layout) -> list[str]:
    """A warning for each dense feature that orders the first training lists, either way, almost as the labels do.

    Args:
        files: packed training examples.
        layout: names of the features.
    """
    batches = list(islice(read_packed(files, layout, _LISTS_PER_BATCH), _BATCHES))
    lists = stack_lists(batches)
    varied = [len(set(labels.tolist())) > 1 for labels in np.split(lists.labels, lists.offsets[1:-1])]
    if sum(varied) < _FEWEST_LISTS:
        return []
    dense = np.concatenate([features["dense"].numpy()[mask.numpy()] for features, mask, _ in batches])
    metric = NDCG(k=None, gain="linear")
    warnings = []
    for name, values in zip(layout.dense, dense.T.astype(np.float64), strict=True):
        best = max(float(np.mean(metric.per_list(lists, sign * values)[varied])) for sign in (1, -1))
        if best >= _TOO_GOOD:
            warnings.append(
                f"feature {name!r} alone orders the training lists with NDCG {best:.4f}: it seems to be made from the "
                f"label, and will not be there when a query comes in; leave it out unless you are sure"
            )
    return warnings
