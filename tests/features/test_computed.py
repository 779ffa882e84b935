"""Computed features in a spec: their widths, and all their faults at once."""

import runpy
import shutil
from pathlib import Path

import pytest

from features.computed import faults_of_computed, fingerprints, with_computed_widths
from ranker.errors import RankerError
from ranker.spec import Spec

BROUGHT = Path(__file__).parent / "brought"
ENCODED = {
    "name": "encoded",
    "kind": "saved_model",
    "path": "encoder",
    "signature": "encode",
    "inputs": {"text": "title", "scale": "price"},
    "output": "vector",
}
MARGIN = {"name": "margin", "kind": "code", "code": "pricing:margin", "inputs": ["price", "stock"]}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a user's model and modules."""
    runpy.run_path(str(BROUGHT / "encoder.py"))["write_encoder"](tmp_path / "encoder")
    for name in ("pricing.py", "rates.py"):
        shutil.copy(BROUGHT / name, tmp_path)
    return tmp_path


def make_spec(folder: Path, *computed: dict, listwise: tuple = (), models: tuple = (), source: str = "tables") -> Spec:
    """With `margin`, and more computed features."""
    files = {
        "tables": {"queries": "q.csv", "documents": "d.csv", "judgments": "j.csv"},
        "elwc": {"train": "lists.tfrecord"},
    }
    vectors = [{"name": "numbers", "kind": "vector", "columns": "f*"}] if source == "elwc" else []
    spec = Spec.model_validate(
        {
            "version": 1,
            "data": {"sources": [{"kind": source, **files[source]}]},
            "features": {
                "document": [
                    {"name": "title", "kind": "text"},
                    {"name": "price", "kind": "numeric"},
                    {"name": "stock", "kind": "raw", "type": "number"},
                    *vectors,
                ],
                "computed": [*computed, MARGIN],
                "listwise": [{"kind": "rank_in_list", "of": name} for name in listwise],
            },
            "models": [
                {"name": "net", "kind": "self_attention"},
                *({"name": f"only_{name}", "kind": "single_feature", "feature": name} for name in models),
            ],
            "blend": {"members": ["net"]},
        }
    )
    spec._base = folder
    return spec


def test_widths_are_found(folder):
    spec = make_spec(folder, ENCODED, listwise=("margin",), models=("margin", "encoded_2", "price"))
    assert spec.features.dense_names == ["price", "rank_in_list_margin"]
    resolved = with_computed_widths(spec)
    assert [feature.width for feature in resolved.features.computed] == [3, 1]
    assert resolved.features.dense_names == [
        *("price", "margin", "encoded_0", "encoded_1", "encoded_2", "rank_in_list_margin"),
    ]
    assert resolved._base == folder
    again = Spec.model_validate(resolved.model_dump())
    assert again.features == resolved.features
    assert spec.with_vector_of(again).features == resolved.features


def test_a_spec_without_computed_features_stays_as_it_is(folder, store_spec):
    assert with_computed_widths(store_spec) == store_spec
    assert fingerprints(store_spec) == {}


def test_all_faults_are_told_at_once(folder):
    computed = [ENCODED | {"path": "gone"}, ENCODED | {"name": "other"}, MARGIN | {"name": "near", "code": "pricing:x"}]
    spec = make_spec(folder, *computed, listwise=("other", "margin"), models=("other_3", "margin", "other"))
    where, what = zip(*faults_of_computed(spec), strict=True)
    assert where == (
        ("features", "computed", 0),
        ("features", "computed", 2),
        ("features", "listwise", 0, "of"),
        ("models", 1, "feature"),
        ("models", 3, "feature"),
    )
    assert what[0].startswith("encoded: ")
    assert "/gone: no SavedModel" in what[0]
    assert what[1].startswith("near: module pricing has no function 'x'; there are [")
    assert what[2] == "rank_in_list_other: 'other' is a vector of 3 numbers; expected a single number"
    assert what[3] == "no column 'other_3'; other has other_0 to other_2"
    assert what[4] == "no column 'other'; other has other_0 to other_2"
    with pytest.raises(RankerError) as caught:
        with_computed_widths(spec)
    assert str(caught.value).splitlines() == [
        f"{'.'.join(map(str, place))}: {fault}" for place, fault in zip(where, what, strict=True)
    ]


def test_a_spec_whose_models_have_faults_is_looked_into(folder):
    spec = make_spec(folder, ENCODED | {"path": "gone"})
    part = Spec.model_construct(_fields_set={"data", "features"}, data=spec.data, features=spec.features)
    part._base = folder
    assert [where for where, _ in faults_of_computed(part)] == [("features", "computed", 0)]


def test_vectors_have_to_have_a_width(folder):
    spec = make_spec(folder, MARGIN | {"name": "sum", "inputs": ["numbers", "price"]}, source="elwc")
    assert faults_of_computed(spec) == [
        (
            ("features", "computed", 0),
            "sum: the width of 'numbers' is not known before its files are read; give the vector a width",
        )
    ]


def test_fingerprints_change_with_the_files_behind_each(folder):
    spec = make_spec(folder, ENCODED, MARGIN | {"name": "same"})
    before = fingerprints(spec)
    assert before.keys() == {"encoded", "same", "margin"}
    assert before["same"] == before["margin"] != before["encoded"]
    (folder / "rates.py").write_text("PER_DAY = 1")
    after = fingerprints(spec)
    assert (after["encoded"] == before["encoded"], after["margin"] == before["margin"]) == (True, False)
    next((folder / "encoder" / "assets").iterdir()).write_text("red\n")
    assert fingerprints(spec)["encoded"] != before["encoded"]
