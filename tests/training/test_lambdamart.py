"""Boosters on the small store."""

import re
from dataclasses import replace

import numpy as np
import pytest

from eval.metrics import parse_metric
from ranker.models.scorers.lambdamart import tree_columns, tree_matrix
from ranker.spec import LambdaMart
from training.examples import read_examples
from training.inputs import read_packed
from training.lambdamart import LabelError, fit_lambdamart, tree_rows

METRIC = parse_metric("ndcg@10")


def fit(dataset, seed=7, train=None, valid=None, layout=None, **spec):
    """The booster, and the metric reported after each tree."""
    reported = []

    def report(tree: int, trees: int, figures: str) -> None:
        assert (tree, trees) == (len(reported) + 1, spec["trees"])
        reported.append(float(re.fullmatch(r"validation ndcg@10 (\d\.\d{4})", figures)[1]))

    files = train or dataset.packed("train"), valid or dataset.packed("valid")
    lists = [read_examples(of_split, layout or dataset.layout) for of_split in files]
    booster = fit_lambdamart(LambdaMart(name="trees", kind="lambdamart", **spec), seed, *lists, METRIC, report)
    return booster, reported


@pytest.fixture(scope="module")
def short(dataset):
    return fit(dataset, trees=60, leaves=15, learning_rate=0.3, early_stopping_rounds=8)


def test_the_same_seed_gives_the_same_trees(dataset, short):
    booster, reported = fit(dataset, trees=60, leaves=15, learning_rate=0.3, early_stopping_rounds=8)
    assert reported == short[1]
    assert booster.model_to_string() == short[0].model_to_string()


def test_the_booster_is_cut_at_its_best_tree(dataset, short):
    booster, reported = short
    best = int(np.argmax(reported)) + 1
    assert best < len(reported) == best + 8 < 60
    assert booster.num_trees() == best
    valid = read_examples(dataset.packed("valid"), dataset.layout)
    value = np.nanmean(METRIC.per_list(valid.lists, booster.predict(tree_rows(valid))))
    assert value == pytest.approx(max(reported), abs=5e-5)


def test_trees_learn_from_the_rows_that_the_graph_makes(dataset, mixed_lengths):
    rows = tree_rows(read_examples([mixed_lengths], dataset.layout))
    batches = read_packed([mixed_lengths], dataset.layout, 64)
    graph = np.concatenate([tree_matrix(batch.features, batch.mask, dataset.layout).numpy() for batch in batches])
    assert (rows.dtype, rows.tobytes()) == (graph.dtype, graph.tobytes())


def test_numbers_alone_are_not_copied(dataset):
    examples = read_examples(dataset.packed("valid"), dataset.layout)
    assert tree_rows(replace(examples, layout=replace(dataset.layout, ids=()))) is examples.dense


def test_the_booster_names_its_columns(dataset, short):
    assert short[0].feature_name() == tree_columns(dataset.layout)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda label: label + 0.5, r"whole numbers from 0 to 30; 1620 of 1620 are not, e\.g\. \d\.5"),
        (lambda label: 31 if label == 4 else label, r"\d+ of 1620 are not, e\.g\. 31"),
    ],
)
@pytest.mark.parametrize("role", ["train", "valid"])
def test_labels_that_are_not_grades_are_refused(dataset, relabelled, change, message, role):
    with pytest.raises(LabelError, match=message):
        fit(dataset, trees=1, **{role: [relabelled(change)]})


def test_grade_30_is_taken(dataset, relabelled):
    file = relabelled(lambda label: 30 if label == 4 else label)
    booster, _ = fit(dataset, train=[file], valid=[file], trees=2, leaves=4)
    assert booster.num_trees() >= 1


def test_weights_of_documents_weigh_in_the_trees(dataset, weighted):
    def trees(weight) -> str:
        file = weighted(weight)
        layout = replace(dataset.layout, judged=("weight", "position"))
        booster, _ = fit(dataset, train=[file], valid=[file], layout=layout, trees=3, leaves=7)
        return booster.model_to_string()

    plain, _ = fit(dataset, valid=dataset.packed("train"), trees=3, leaves=7)
    assert trees(lambda position, label: 1) == plain.model_to_string()
    assert trees(lambda position, label: 1 + label) != plain.model_to_string()
