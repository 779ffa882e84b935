"""LambdaMART by LightGBM, on the same transformed tensors as the networks."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm
import numpy as np

from eval.metrics import Metric
from ranker.errors import RankerError
from ranker.models.scorers.lambdamart import tree_columns
from ranker.spec import LambdaMart
from training.examples import Examples

__all__ = ["LabelError", "check_grades", "fit_lambdamart", "tree_rows"]

# Values below which one thread is used: on small data a second gains a quarter, and loses a hundredfold when another
# process wants the core, because OpenMP's threads wait for each other by spinning.
_WORTH_THREADS = 4_000_000
_GRADES = 31  # LightGBM's default table of gains ends at label 30


class LabelError(RankerError):
    """LambdaMART needs integer grades."""


def fit_lambdamart(
    spec: LambdaMart,
    seed: int,
    train: Examples,
    valid: Examples,
    metric: Metric,
    report: Callable[[int, int, str], None],
) -> lightgbm.Booster:
    """Grow trees until the metric on the validation lists has not risen for `early_stopping_rounds`.

    Args:
        spec: size and number of trees.
        seed: of LightGBM.
        train: the training lists.
        valid: the validation lists.
        metric: what the best number of trees is chosen by.
        report: told (trees, of at most, figures) after each tree.

    Returns:
        the booster, cut at its best number of trees.

    Raises:
        LabelError: for labels that are not whole numbers from 0 to 30.
    """
    check_grades(train.labels)
    check_grades(valid.labels)
    training = lightgbm.Dataset(
        tree_rows(train),
        train.labels,
        weight=train.judged.get("weight"),
        group=train.sizes,
        feature_name=tree_columns(train.layout),
    )
    validation = training.create_valid(tree_rows(valid), valid.labels, group=valid.sizes)
    held_out = valid.lists
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
        "num_threads": 1 if train.dense.size < _WORTH_THREADS else 0,
        "verbosity": -1,
    }

    def measure(scores: np.ndarray, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        value = np.nanmean(metric.per_list(held_out, scores))
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


def tree_rows(examples: Examples) -> np.ndarray:
    """The rows that trees see, as `ranker.models.scorers.lambdamart.tree_matrix` gives them.

    Returns:
        float32 [documents, columns]: the dense numbers themselves where there is nothing else, without a copy.
    """
    single = examples.layout.single_ids
    if not single:
        return examples.dense
    columns = [examples.dense]
    for feature in single:
        ids = examples.ids[feature.name]
        first = np.zeros(len(ids.offsets) - 1, np.float32)
        there = np.diff(ids.offsets) > 0
        first[there] = ids.values[ids.offsets[:-1][there]]
        columns.append((np.repeat(first, examples.sizes) if feature.scope == "query" else first)[:, None])
    return np.hstack([column.reshape(len(examples.dense), -1) for column in columns])


def check_grades(labels: np.ndarray) -> None:
    """Raise a LabelError unless all labels are whole numbers from 0 to 30."""
    bad = (labels % 1 != 0) | (labels >= _GRADES)
    if bad.any():
        raise LabelError(
            f"lambdamart needs labels that are whole numbers from 0 to {_GRADES - 1}; "
            f"{int(bad.sum())} of {len(bad)} are not, e.g. {labels[bad.argmax()]:g}"
        )
