"""LambdaMART by LightGBM, on the same transformed tensors as the networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np

from eval.lists import Lists
from eval.metrics import Metric
from ranker.data.layout import Layout
from ranker.errors import RankerError
from ranker.models.scorers.lambdamart import tree_columns, tree_matrix
from ranker.spec import LambdaMart
from training.fit import stack_lists
from training.inputs import read_packed

__all__ = ["LabelError", "check_grades", "fit_lambdamart"]

_LISTS_PER_BATCH = 256
# Values below which one thread is used: on small data a second gains a quarter, and loses a hundredfold when another
# process wants the core, because OpenMP's threads wait for each other by spinning.
_WORTH_THREADS = 4_000_000
_GRADES = 31  # LightGBM's default table of gains ends at label 30


class LabelError(RankerError):
    """LambdaMART needs integer grades."""


@dataclass(frozen=True)
class _Rows:
    matrix: np.ndarray  # float32 [documents, columns]
    lists: Lists
    weights: np.ndarray | None  # float32 [documents]


def fit_lambdamart(
    spec: LambdaMart,
    seed: int,
    layout: Layout,
    train: Sequence[Path],
    valid: Sequence[Path],
    metric: Metric,
    report: Callable[[int, int, str], None],
) -> lightgbm.Booster:
    """Grow trees until the metric on the validation lists has not risen for `early_stopping_rounds`.

    Args:
        spec: size and number of trees.
        seed: of LightGBM.
        layout: tensors of the packed examples.
        train: files of the training lists.
        valid: files of the validation lists.
        metric: what the best number of trees is chosen by.
        report: told (trees, of at most, figures) after each tree.

    Returns:
        the booster, cut at its best number of trees.

    Raises:
        LabelError: for labels that are not whole numbers from 0 to 30.
    """
    rows, held_out = _read(train, layout), _read(valid, layout)
    columns = tree_columns(layout)
    training = _dataset(rows, columns)
    validation = training.create_valid(held_out.matrix, held_out.lists.labels, group=held_out.lists.sizes)
    parameters = {
        "objective": "lambdarank",
        "metric": "none",
        "label_gain": [2.0**grade - 1 for grade in range(_GRADES)],
        "num_leaves": spec.leaves,
        "learning_rate": spec.learning_rate,
        "min_data_in_leaf": spec.min_documents_in_leaf,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1 if rows.matrix.size < _WORTH_THREADS else 0,
        "verbosity": -1,
    }

    def measure(scores: np.ndarray, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        value = np.nanmean(metric.per_list(held_out.lists, scores))
        return str(metric), float(value), metric.higher_is_better

    def tell(env: lightgbm.callback.CallbackEnv) -> None:
        value = env.evaluation_result_list[0][2]
        report(env.iteration + 1, spec.trees, f"validation {metric} {value:.4f}")

    booster = lightgbm.train(
        parameters,
        training,
        num_boost_round=spec.trees,
        valid_sets=[validation],
        feval=measure,
        callbacks=[tell, lightgbm.early_stopping(spec.early_stopping_rounds, verbose=False)],
    )
    return lightgbm.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))


def _read(files: Sequence[Path], layout: Layout) -> _Rows:
    batches = list(read_packed(files, layout, _LISTS_PER_BATCH))
    lists = stack_lists(batches)
    check_grades(lists.labels)
    matrix = np.concatenate([tree_matrix(f, mask, layout).numpy() for f, mask, *_ in batches])
    if "weight" not in layout.judged:
        return _Rows(matrix, lists, None)
    return _Rows(matrix, lists, np.concatenate([b.judged["weight"].numpy()[b.mask.numpy()] for b in batches]))


def check_grades(labels: np.ndarray) -> None:
    """Raise a LabelError unless all labels are whole numbers from 0 to 30."""
    bad = (labels % 1 != 0) | (labels >= _GRADES)
    if bad.any():
        raise LabelError(
            f"lambdamart needs labels that are whole numbers from 0 to {_GRADES - 1}; "
            f"{int(bad.sum())} of {len(bad)} are not, e.g. {labels[bad.argmax()]:g}"
        )


def _dataset(rows: _Rows, columns: list[str]) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        rows.matrix, rows.lists.labels, weight=rows.weights, group=rows.lists.sizes, feature_name=columns
    )
