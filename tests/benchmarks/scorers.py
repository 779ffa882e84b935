"""NDCG@10 of each kind of network with its defaults, next to LightGBM's lambdarank by hand, on prepared datasets.

`python -m tests.benchmarks.scorers DATASET... [--folds 5] [--kinds linear dnn self_attention]`: all lists of a dataset
are divided into folds by list; of what is not in a fold a fifth is for validation. Lists, features and folds are the
same for all. LightGBM has 500 trees of 15 leaves at a rate of 0.05, stopped by its own NDCG@10 after 50 rounds: the
best of seven settings on its example data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from eval.compare import paired_differences
from eval.intervals import bootstrap_intervals
from eval.metrics import parse_metric
from eval.sums import Sums
from ranker.data.dataset import Dataset
from ranker.spec import Spec, Training
from ranker.spec.models import Model
from training.examples import Examples, read_examples

__all__ = ["main"]

_METRIC = parse_metric("ndcg@10")
Fit = Callable[[Examples, Examples], Callable[[Examples], np.ndarray]]


def main() -> None:
    """Print a table for each dataset."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("datasets", nargs="+", type=Path)
    arguments.add_argument("--folds", type=int, default=5)
    arguments.add_argument("--kinds", nargs="+", default=["linear", "dnn", "self_attention"])
    given = arguments.parse_args()
    for path in given.datasets:
        dataset = Dataset(path)
        files = [file for split in ("train", "valid", "test") for file in dataset.packed(split)]
        examples = read_examples(files, dataset.layout)
        print(
            f"{path.name}: {len(examples)} lists, {len(examples.labels)} documents, {len(dataset.layout.dense)} numbers"
        )
        fits: dict[str, Fit] = {"lightgbm": _lightgbm} | {kind: _network(dataset.spec, kind) for kind in given.kinds}
        _compare(examples, fits, given.folds)


def _compare(examples: Examples, fits: dict[str, Fit], folds: int) -> None:
    fold = np.random.default_rng(0).permutation(len(examples)) % folds
    values = {name: np.full(len(examples), np.nan) for name in fits}
    for name, fit in fits.items():
        started = time.perf_counter()
        for number in range(folds):
            held_out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
            valid = rest[np.random.default_rng(number).permutation(len(rest)) % 5 == 0]
            train = np.setdiff1d(rest, valid)
            test = examples.take(held_out)
            scores = fit(examples.take(train), examples.take(valid))(test)
            values[name][held_out] = _METRIC.per_list(test.lists, scores)
        units = np.arange(len(examples)).astype(str)
        columns = np.column_stack([values[name], paired_differences(values[name], values["lightgbm"])])
        whole, less = bootstrap_intervals(Sums.of(columns, units))
        seconds = time.perf_counter() - started
        print(
            f"  {name:16} {whole.mean:.4f} [{whole.low:.4f}, {whole.high:.4f}]"
            f"  - lightgbm {less.mean:+.4f} [{less.low:+.4f}, {less.high:+.4f}]  {seconds:.0f} s",
            flush=True,
        )


def _network(spec: Spec, kind: str) -> Fit:
    from pydantic import TypeAdapter

    from training.fit import fit_network
    from training.scoring import score_examples
    from training.settings import settle

    network = TypeAdapter(Model).validate_python({"name": "net", "kind": kind})

    def fit(train: Examples, valid: Examples) -> Callable[[Examples], np.ndarray]:
        settings = settle(network, Training(), len(train), len(valid))
        fitted = fit_network(network, settings, train, valid, _METRIC, lambda *_: None)
        return lambda examples: score_examples(fitted.scorer, examples)

    return fit


def _lightgbm(train: Examples, valid: Examples) -> Callable[[Examples], np.ndarray]:
    import lightgbm

    from training.lambdamart import tree_rows

    parameters = {
        "objective": "lambdarank", "metric": "ndcg", "eval_at": [10], "num_leaves": 15, "learning_rate": 0.05,
        "verbosity": -1, "num_threads": 1, "seed": 0,
    }  # fmt: skip
    learnt, held = (lightgbm.Dataset(tree_rows(part), part.labels, group=part.sizes) for part in (train, valid))
    stop = lightgbm.early_stopping(50, verbose=False)
    booster = lightgbm.train(parameters, learnt, 500, valid_sets=[held], callbacks=[stop])
    return lambda examples: np.asarray(booster.predict(tree_rows(examples)))


if __name__ == "__main__":
    main()
