import json
import typing

import numpy as np

from eval.evaluate import Request, evaluate
from eval.report import data
from eval.report.build import report_of, ten_digits
from eval.report.data import FORMAT_VERSION, Report
from eval.slice_values import Cut
from eval.slices import Slicing


def misfits(value, kind, where="report"):
    """Where a value is not what its TypedDict says."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return []
    if typing.is_typeddict(kind):
        if not isinstance(value, dict):
            return [where]
        known = typing.get_type_hints(kind)
        found = [f"{where}.{key}" for key in value if key not in known and not key.startswith("judged@")]
        found += [f"{where}: no {key}" for key in kind.__required_keys__ - value.keys()]
        return found + [
            one for key in value if key in known for one in misfits(value[key], known[key], f"{where}.{key}")
        ]
    if origin is dict:
        return [one for key in value for one in misfits(value[key], inner[1], f"{where}.{key}")]
    if origin is list:
        return [one for place, item in enumerate(value) for one in misfits(item, inner[0], f"{where}.{place}")]
    if inner:
        return [] if any(not misfits(value, one) for one in inner) else [where]
    if kind is float:
        return [] if isinstance(value, int | float) and not isinstance(value, bool) else [where]
    return [] if isinstance(value, kind) else [where]


def test_a_report_is_what_its_types_say(make_scores):
    scores = make_scores(100)
    slicings = (Slicing("category", (Cut("category"),)), Slicing("brand", (Cut("brand"),), "document", most=3))
    found = evaluate(scores, Request(("a", "b"), ("ndcg", "mrr"), "a", slicings=slicings))
    report = report_of(found, [{"file": "scores.parquet", "sha256": "0" * 64}])
    assert misfits(report, Report) == []
    assert report["format_version"] == FORMAT_VERSION
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert [one["name"] for one in report["slices"]] == ["category", "brand"]
    assert report["slices"][1]["merged"] > 0
    assert report["data"]["sources"][0]["file"] == "scores.parquet"
    assert report["gate"] is None
    assert set(data.__all__) >= {"Report", "Figure", "Delta"}


def test_slices_are_small_by_what_is_resampled(make_scores):
    """About 25 lists in each of four categories, of about 20 users each."""
    slicings = (Slicing("category", (Cut("category"),)),)
    scores, small = make_scores(100), {}
    for cluster in (None, "user"):
        for least in (12, 16, 20):
            request = Request(("a",), ("ndcg",), slicings=slicings, cluster=cluster, min_lists=least)
            values = report_of(evaluate(scores, request))["slices"][0]["values"]
            small[cluster, least] = [one["value"] for one in values if one["small"]]
    rows = scores.select(["query_id", "user", "category", "label"]).to_pandas().fillna("(missing)")
    has_value = rows[rows["label"].gt(0).groupby(rows["query_id"]).transform("any")]
    for (cluster, least), found in small.items():
        counts = has_value.groupby("category")[cluster or "query_id"].nunique()
        assert sorted(found) == sorted(counts[counts < least].index), (cluster, least)
    assert small[None, 20] != small["user", 20]


def test_without_a_baseline_nothing_is_compared(make_scores):
    report = report_of(evaluate(make_scores(50), Request(("a", "b"), ("ndcg",))))
    assert (report["baseline"], report["comparisons"]) == (None, {})
    assert misfits(report, Report) == []


def test_floats_have_ten_digits_and_nan_is_none():
    value = {"x": (1 / 3, float("nan"), [np.float64(2e-9) / 3]), "n": 7, "s": "1.23456789012"}
    assert ten_digits(value) == {"x": [0.3333333333, None, [6.666666667e-10]], "n": 7, "s": "1.23456789012"}
