"""The graph of a booster against LightGBM itself: the same leaf of every tree for every row, hence the same score."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.models.trees import BoosterGraph

FEATURES = 5
SPECIAL = np.array(
    [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-35, -1e-35, 1.1e-35, -1.1e-35, 1e-40, 3.4e38, -3.4e38], np.float32
)


def data(
    seed: int, rows: int = 400, missing: float = 0.1, zeros: float = 0.2, scale: float = 1.0
) -> NDArray[np.float32]:
    """Float32 `[rows, FEATURES]`: normal, one column rounded so that values repeat, one never missing or zero."""
    rng = np.random.default_rng(seed)
    values = (rng.standard_normal((rows, FEATURES)) * scale).astype(np.float32)
    values[:, 1] = np.round(values[:, 1])
    holes = values[:, :-1]
    holes[rng.random(holes.shape) < zeros] = 0.0
    holes[rng.random(holes.shape) < missing] = np.nan
    return values


def booster(
    features: NDArray[np.float32], trees: int = 6, init: lgb.Booster | None = None, **params: Any
) -> lgb.Booster:
    rng = np.random.default_rng(len(features))
    filled = np.nan_to_num(features, nan=-1.0)
    label = filled[:, 0] + np.sin(filled[:, 1]) + (filled[:, 2] == 0) + rng.standard_normal(len(features))
    label = np.digitize(label, np.quantile(label, [0.5, 0.75, 0.9]))
    params = {"objective": "regression", "min_data_in_leaf": 1, "verbose": -1, "num_threads": 1, **params}
    group = [len(features) // 8] * 8 if params["objective"] == "lambdarank" else None
    dataset = lgb.Dataset(features, label, group=group, categorical_feature=params.pop("categorical", "auto"))
    return lgb.train(params, dataset, trees, init_model=init)


def probes(model: lgb.Booster) -> NDArray[np.float32]:
    """Float32 `[rows, features]`: in each column every threshold, its float32 neighbours and the special values."""
    lines = [line for line in model.model_to_string().split("\n") if line.startswith("threshold=")]
    with np.errstate(over="ignore"):
        at = np.array(" ".join(lines).replace("threshold=", "").split(), np.float64).astype(np.float32)
    values = np.concatenate([SPECIAL, at, np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))])
    rng = np.random.default_rng(len(values))
    return np.stack([rng.permutation(values) for _ in range(model.num_feature())], axis=1)


def assert_same(model: lgb.Booster, rows: NDArray[np.float32]) -> None:
    graph = BoosterGraph(model.model_to_string())
    assert (graph.num_trees, graph.num_features) == (model.num_trees(), model.num_feature())
    np.testing.assert_array_equal(
        graph.leaves(rows).numpy(), model.predict(rows, pred_leaf=True).reshape(len(rows), model.num_trees())
    )
    scores = graph(rows)
    expected = model.predict(rows, raw_score=True)
    assert scores.dtype == tf.float64
    np.testing.assert_allclose(scores.numpy(), expected, rtol=0, atol=1e-6 * max(1.0, np.abs(expected).max()))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    missing=st.sampled_from([0.0, 0.1, 0.6]),
    zeros=st.sampled_from([0.0, 0.3]),
    scale=st.sampled_from([1.0, 1e-30, 1e-36, 1e36]),
    params=st.fixed_dictionaries(
        {
            "objective": st.sampled_from(["regression", "lambdarank"]),
            "use_missing": st.booleans(),
            "zero_as_missing": st.booleans(),
            "num_leaves": st.sampled_from([2, 7, 31, 120]),
            "max_bin": st.sampled_from([3, 255]),
            "boosting": st.sampled_from(["gbdt", "dart"]),
        }
    ),
)
def test_every_row_falls_into_the_leaf_of_lightgbm(
    seed: int, missing: float, zeros: float, scale: float, params: dict[str, Any]
) -> None:
    features = data(seed, missing=missing, zeros=zeros, scale=scale)
    model = booster(features, **params)
    assert_same(model, np.concatenate([features, probes(model)]))


def test_trees_of_many_sizes_keep_their_order() -> None:
    features, model = data(0), None
    for leaves in (40, 2, 100, 9, 3):
        model = booster(features, trees=2, init=model, num_leaves=leaves)
    model = booster(features, trees=1, init=model, min_data_in_leaf=400)
    assert_same(model, np.concatenate([features, probes(model)]))


def test_more_trees_than_one_group_and_more_rows_than_one_block() -> None:
    model = booster(data(1), trees=520, num_leaves=4)
    assert_same(model, data(2, rows=777))


def test_one_leaf_no_trees_no_rows() -> None:
    features = data(3)
    assert_same(booster(features, min_data_in_leaf=400), features)
    empty = lgb.Booster({"verbose": -1}, lgb.Dataset(features, np.zeros(len(features))))
    graph = BoosterGraph(empty.model_to_string())
    assert graph.num_trees == 0
    np.testing.assert_array_equal(graph(features), np.zeros(len(features)))
    assert graph.leaves(features).shape == (len(features), 0)
    graph = BoosterGraph(booster(features).model_to_string())
    assert graph(features[:0]).shape == (0,)
    assert graph.leaves(features[:0]).shape == (0, 6)


def text(threshold: str = "0.1", decision_type: str = "0", **changes: str) -> str:
    """One tree in LightGBM's format: x <= threshold gives 1, else 2. A change to "GONE" drops the line."""

    def lines(fields: dict[str, str]) -> str:
        changed = {key: changes.get(key, value) for key, value in fields.items()}
        return "".join(f"{key}={value}\n" for key, value in changed.items() if value != "GONE")

    tree = {"num_leaves": "2", "num_cat": "0", "split_feature": "0", "threshold": threshold}
    tree |= {"decision_type": decision_type, "left_child": "-1", "right_child": "-2", "leaf_value": "1 2"}
    body = f"Tree=0\n{lines(tree | {'is_linear': '0', 'shrinkage': '1'})}\n\n"
    header = {"num_class": "1", "num_tree_per_iteration": "1", "label_index": "0", "max_feature_idx": "0"}
    header |= {"feature_names": "price", "feature_infos": "none", "tree_sizes": str(len(body))}
    return f"tree\nversion=v4\n{lines(header)}\n{body}end of trees\n"


LEFT, RIGHT = 1.0, 2.0
NONE, ZERO, NAN, DEFAULT_LEFT = 0, 4, 8, 2


@pytest.mark.parametrize(
    ("decision_type", "threshold", "value", "expected"),
    [
        (NONE, "0.1", np.float32(0.1), RIGHT),  # the float32 nearest to 0.1 is above 0.1
        (NONE, "0.1", np.nextafter(np.float32(0.1), np.float32(0)), LEFT),
        (NONE, "0.1", np.nan, LEFT),  # NaN counts as 0
        (NONE | DEFAULT_LEFT, "-0.1", np.nan, RIGHT),
        (ZERO, "0.1", 0.0, RIGHT),
        (ZERO, "0.1", np.nan, RIGHT),
        (ZERO | DEFAULT_LEFT, "-0.1", -1e-36, LEFT),
        (ZERO | DEFAULT_LEFT, "-0.1", 1e-34, RIGHT),
        (NAN, "inf", np.nan, RIGHT),  # "all numbers | missing"
        (NAN, "inf", np.inf, LEFT),
        (NAN, "1e300", np.inf, RIGHT),
        (NAN | DEFAULT_LEFT, "-1e300", np.nan, LEFT),
        (NAN | DEFAULT_LEFT, "-0.1", 0.0, RIGHT),
    ],
)
def test_one_decision(decision_type: int, threshold: str, value: float, expected: float) -> None:
    model = text(threshold, str(decision_type))
    rows = np.array([[value]], np.float32)
    assert BoosterGraph(model)(rows).numpy().tolist() == [expected]
    assert lgb.Booster(model_str=model).predict(rows, raw_score=True).tolist() == [expected]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decision_type": "1"}, "tree 0, field decision_type.*'price'.*without categorical_feature"),
        ({"decision_type": "12"}, "tree 0, field decision_type"),
        ({"is_linear": "1"}, "tree 0, field is_linear.*without linear_tree"),
        ({"num_class": "3"}, "header, field num_class"),
        ({"num_tree_per_iteration": "3"}, "header, field num_tree_per_iteration"),
        ({"feature_names": "price stars"}, "header, field feature_names.*got 2"),
        ({"feature_names": "price\naverage_output"}, "average_output.*random forest"),
        ({"max_feature_idx": "GONE"}, "header, field max_feature_idx: is missing"),
        ({"tree_sizes": "300 300"}, "promises 2 trees.*ends in tree 0"),
        ({"num_leaves": "0"}, "tree 0, field num_leaves"),
        ({"threshold": "GONE"}, "tree 0, field threshold: is missing"),
        ({"threshold": "high"}, "tree 0, field threshold: holds what is no number"),
        ({"threshold": "nan"}, "tree 0, field threshold: holds NaN"),
        ({"leaf_value": "1"}, "tree 0, field leaf_value: expected 2 numbers, got 1"),
        ({"split_feature": "1"}, "tree 0, field split_feature: expected numbers from 0 to 0"),
        ({"left_child": "0"}, "tree 0, field left_child: a child comes before its parent"),
        ({"left_child": "1"}, "tree 0, field left_child and right_child"),
        ({"left_child": "-2"}, "tree 0, field left_child and right_child"),
    ],
)
def test_refused(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BoosterGraph(text(**changes))


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"categorical": [1], "min_data_per_group": 1, "cat_smooth": 0}, "decision_type"),
        ({"linear_tree": True}, "is_linear"),
        ({"objective": "multiclass", "num_class": 4}, "num_class"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "average_output"),
    ],
)
def test_refuses_what_lightgbm_writes(params: dict[str, Any], field: str) -> None:
    features = np.abs(data(4, missing=0.0))
    with pytest.raises(ValueError, match=f"field {field}"):
        BoosterGraph(booster(features, **params).model_to_string())


WHOLE = booster(data(5), trees=3).model_to_string()


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, WHOLE.index("end of trees") + 10))
def test_a_truncated_text_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"(header|tree \d), field \w+"):
        BoosterGraph(WHOLE[:length])


@pytest.mark.parametrize(
    "rows", [np.zeros((2, FEATURES)), np.zeros((2, 3), np.float32), np.zeros(FEATURES, np.float32)]
)
def test_wrong_features(rows: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=rf"expected float32 features of shape \(rows, {FEATURES}\), got"):
        BoosterGraph(WHOLE)(rows)


def test_survives_a_saved_model_in_a_session(tmp_path: Path) -> None:
    features = data(6, rows=300)
    model = booster(features, num_leaves=31)
    graph = BoosterGraph(model.model_to_string())
    signature = tf.function(
        lambda features: {"scores": graph(features), "leaves": graph.leaves(features)},
        input_signature=[tf.TensorSpec([None, FEATURES], tf.float32, "features")],
    )
    tf.saved_model.save(graph, str(tmp_path), {"serving_default": signature})
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path)).signature_def["serving_default"]
        outputs = {key: value.name for key, value in loaded.outputs.items()}
        for rows in (features, features[:0], features[:1]):
            got = session.run(outputs, {loaded.inputs["features"].name: rows})
            expected = model.predict(rows, raw_score=True) if len(rows) else np.zeros(0)
            np.testing.assert_allclose(got["scores"], expected, rtol=0, atol=1e-6)
            if len(rows):
                np.testing.assert_array_equal(got["leaves"], model.predict(rows, pred_leaf=True))


def test_compiles_with_xla() -> None:
    features = data(7)
    model = booster(features, num_leaves=31)
    graph = BoosterGraph(model.model_to_string())
    rows = tf.constant(np.concatenate([features, probes(model)]))
    leaves = tf.function(graph.leaves, jit_compile=True)(rows)
    np.testing.assert_array_equal(leaves, model.predict(rows.numpy(), pred_leaf=True))
    scores = tf.function(graph, jit_compile=True)(rows)
    np.testing.assert_allclose(scores, model.predict(rows.numpy(), raw_score=True), rtol=0, atol=1e-6)
