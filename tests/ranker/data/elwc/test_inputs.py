"""What a spec reads of ELWC files: the columns of its vectors, and what is not there or not as it should be."""

from __future__ import annotations

import pytest

from ranker.data.data_error import DataError
from ranker.data.elwc.head import ElwcHead, Seen
from ranker.data.elwc.inputs import elwc_inputs, feature_faults, has_unseen_features, with_found_columns
from ranker.spec import Spec

NUMBER, COUNT, TEXT, VECTOR = ({"float"}, 1, 1), ({"int64"}, 1, 1), ({"bytes"}, 1, 1), ({"float"}, 2, 2)


def head(context: dict | None = None, **document) -> ElwcHead:
    """`name=(kinds, least, most)` for each feature."""

    def seen(features: dict) -> dict:
        return {name: Seen(*values) for name, values in features.items()}

    return ElwcHead(seen({"query_id": TEXT} if context is None else context), seen(document))


def spec(features: dict | None = None, **data) -> Spec:
    content = {
        "version": 1,
        "data": {"sources": [{"kind": "elwc", "train": "a"}]} | data,
        "models": [{"name": "trees", "kind": "lambdamart"}],
        "blend": {"members": ["trees"]},
    }
    return Spec.model_validate(content | ({"features": features} if features else {}))


def of_document(*features: dict) -> dict:
    return {"document": list(features)}


def vector(**more) -> dict:
    return of_document({"name": "v", "kind": "vector"} | more)


# --- columns of vectors -----------------------------------------------------------------------------------------------

WIDE = head(
    {"query_id": TEXT, "c2": NUMBER, "c1": COUNT},
    label=NUMBER, w=NUMBER, rank=COUNT, at=COUNT, f2=NUMBER, f10=COUNT, f1=({"float", "int64"}, 1, 1), g=NUMBER,
    many=VECTOR, mixed=({"float", "bytes"}, 1, 1), text=TEXT,
)  # fmt: skip
JUDGED = {"weight": "w", "position": "rank", "timestamp": "at"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("*", ["f1", "f2", "f10", "g"]), ("f*", ["f1", "f2", "f10"]), ("?", ["g"]), (["g", "f2"], ["g", "f2"])],
)
def test_a_pattern_is_for_scalar_numbers_that_are_not_ids_or_judged(columns, expected):
    found = with_found_columns(spec(vector(columns=columns), **JUDGED), WIDE)
    [feature] = found.features.document
    assert (feature.columns, feature.width) == (expected, len(expected))
    [*_, wanted] = elwc_inputs(found).document
    assert (wanted.what, wanted.names) == ("grouped", tuple(expected))


def test_columns_of_the_context_are_for_vectors_of_the_query():
    features = {"query": [{"name": "asked", "kind": "vector", "columns": "c*"}]} | vector(columns="g")
    assert with_found_columns(spec(features), WIDE).features.query[0].columns == ["c1", "c2"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"columns": "x*"}, r"features.document.0.columns: no feature with one number in each example matches 'x\*'; "
         r"there are 'at', 'f1', 'f2', 'f10', 'g'"),
        ({"columns": "many"}, r"no feature with one number in each example matches 'many'"),
        ({"columns": "mixed"}, r"no feature with one number in each example matches 'mixed'"),
        ({"columns": "label"}, r"no feature with one number in each example matches 'label'"),
        ({"columns": "f*", "width": 2}, r"document.0.width: expected 3, the number of columns, or none at all; got 2"),
    ],
)  # fmt: skip
def test_columns_that_cannot_be_grouped_are_refused(more, message):
    with pytest.raises(DataError, match=message):
        with_found_columns(spec(vector(**more)), WIDE)


def test_columns_that_are_not_known_cannot_be_read():
    with pytest.raises(ValueError, match=r"v: the columns of 'f\*' are not known yet"):
        elwc_inputs(spec(vector(columns="f*")))


def test_only_the_features_that_are_wanted_are_read():
    features = {"query": [{"name": "a", "kind": "text"}]} | of_document(
        {"name": "b", "kind": "numeric"}, {"name": "c", "kind": "text"}
    )
    inputs = elwc_inputs(spec(features), ["c"])
    assert [one.column.name for one in inputs.context] == ["query_id"]
    assert [one.column.name for one in inputs.document] == ["document_id", "label", "c"]


def test_raw_columns_are_read_by_their_type():
    raw = {"blurb": {"type": "text"}, "stars": {"type": "number"}, "pixels": {"type": "number", "width": 3}}
    features = of_document(*({"name": name, "kind": "raw", **given} for name, given in raw.items()))
    features["computed"] = [{"name": "sum", "kind": "code", "code": "mine:total", "inputs": [*raw]}]
    inputs = elwc_inputs(spec(features)).document[-3:]
    assert [(one.column.name, one.what, one.column.width) for one in inputs] == [
        *(("blurb", "words", None), ("stars", "number", None), ("pixels", "vector", 3)),
    ]


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "context", "document", "faults"),
    [
        ({}, {}, {}, []),
        ({"label": "grade"}, {}, {}, ["no feature 'grade' in the examples; there are 'f', 'label'"]),
        ({"label": "labl"}, {}, {},
         ["no feature 'labl' in the examples; there are 'f', 'label'; did you mean 'label'?"]),
        ({"query_id": "qid"}, {}, {}, ["no feature 'qid' in the context; there are none"]),
        ({"query_id": "qid"}, {"qid": COUNT}, {}, []),
        ({"document_id": "did"}, {}, {}, ["no feature 'did' in the examples; there are 'f', 'label'"]),
        ({}, {}, {"document_id": NUMBER},
         ["feature 'document_id' in the examples: expected a text (bytes or int64), got float"]),
        ({"weight": "w"}, {}, {}, ["no feature 'w' in the context or the examples; there are 'f', 'label'"]),
        ({"weight": "w"}, {"w": NUMBER}, {}, []),
        ({"weight": "w"}, {}, {"w": NUMBER}, []),
        ({"weight": "w"}, {"w": TEXT}, {},
         ["feature 'w' in the context: expected a number (float or int64), got bytes"]),
        ({"timestamp": "at"}, {"at": TEXT}, {}, []),
        ({"timestamp": "at"}, {}, {"at": COUNT}, []),
        ({"position": "rank"}, {"rank": COUNT}, {}, ["no feature 'rank' in the examples; there are 'f', 'label'"]),
    ],
)  # fmt: skip
def test_ids_and_what_is_judged(data, context, document, faults):
    wanted = spec(of_document({"name": "f", "kind": "numeric"}), **data)
    seen = head(context, f=NUMBER, label=NUMBER, **document)
    assert list(feature_faults(wanted, seen)) == faults
    assert has_unseen_features(wanted, seen) == any(fault.startswith("no feature") for fault in faults)


@pytest.mark.parametrize(
    ("feature", "seen", "fault"),
    [
        ({"kind": "numeric"}, NUMBER, None),
        ({"kind": "numeric"}, COUNT, None),
        ({"kind": "numeric"}, TEXT, "expected a number (float or int64), got bytes"),
        ({"kind": "numeric"}, ({"bytes", "float"}, 1, 1), None),
        ({"kind": "numeric"}, ({"float"}, 1, 3), None),
        ({"kind": "numeric"}, VECTOR, "expected a number (float or int64), got at least 2 values in each"),
        ({"kind": "text"}, ({"bytes"}, 3, 9), None),
        ({"kind": "text"}, NUMBER, "expected texts (bytes or int64), got float"),
        ({"kind": "categorical"}, COUNT, None),
        ({"kind": "categorical"}, ({"bytes"}, 2, 9), "expected a text (bytes or int64), got at least 2 values in each"),
        ({"kind": "categorical", "multivalued": True}, ({"bytes"}, 2, 9), None),
        ({"kind": "date"}, TEXT, None),
        ({"kind": "vector", "width": 2}, VECTOR, None),
        ({"kind": "vector", "width": 2}, ({"int64"}, 1, 3), None),
        ({"kind": "vector", "width": 3}, VECTOR, "expected 3 numbers (float or int64), got 2 in each"),
        ({"kind": "vector", "columns": ["x"]}, NUMBER, None),
        ({"kind": "vector", "columns": ["x"]}, TEXT, "expected a number (float or int64), got bytes"),
    ],
)
def test_features_that_are_never_as_they_should_be(feature, seen, fault):
    """What holds for some of the examples is set aside with them; a fault is what holds for all."""
    wanted = spec(of_document({"name": "x"} | feature, {"name": "f", "kind": "numeric"}), timestamp="at")
    wanted = with_found_columns(wanted, head(x=seen))
    faults = list(feature_faults(wanted, head(x=seen, f=NUMBER, label=NUMBER, at=COUNT)))
    assert faults == ([] if fault is None else [f"feature 'x' in the examples: {fault}"])


def test_all_faults_are_told():
    features = {"query": [{"name": "age", "kind": "numeric"}]} | of_document(
        {"name": "title", "kind": "text"}, {"name": "v", "kind": "vector", "columns": ["f", "ff", "g"]}
    )
    faults = list(feature_faults(with_found_columns(spec(features), head()), head(f=NUMBER, label=TEXT)))
    assert [fault.partition(";")[0] for fault in faults] == [
        "no feature 'age' in the context",
        "feature 'label' in the examples: expected a number (float or int64), got bytes",
        "no feature 'title' in the examples",
        "no feature 'ff' in the examples",
        "no feature 'g' in the examples",
    ]


def test_names_are_cut_where_there_are_many():
    [fault] = feature_faults(spec(of_document({"name": "x", "kind": "numeric"})), head(label=NUMBER, **many(30)))
    assert "'f1', 'f2', 'f3'" in fault
    assert "and 11 more" in fault


def many(count: int) -> dict:
    return {f"f{number}": NUMBER for number in range(1, count + 1)}
