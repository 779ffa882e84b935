"""Columns from the features of examples: each kind of value to each kind of column."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from ranker.data.columns import MISSING_INT, Column
from ranker.data.elwc.columns import UNPARSABLE_EXAMPLE, WRONG_TYPE, Input, decode
from ranker.data.tables.rows import WRONG_LENGTH

NAN = math.nan


def example(**features) -> bytes:
    def feature(values):
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        if isinstance(values[0], int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    message = tf.train.Features(feature={name: feature(values) for name, values in features.items()})
    return tf.train.Example(features=message).SerializeToString()


EMPTY_LIST = tf.train.Example(
    features=tf.train.Features(feature={"x": tf.train.Feature(float_list=tf.train.FloatList())})
).SerializeToString()


def column(what: str, dtype: str, width=None, names=("x",), separator=None) -> Input:
    return Input(Column("x", "document", dtype, width, what == "texts"), what, names, separator)


def decoded(wanted: Input, examples: list[bytes]):
    """The values, and {reason: places}."""
    found = decode(examples, [wanted])
    array = found.columns["x"]
    assert found.count == len(examples) == len(array)
    assert array.type == wanted.column.arrow_type
    assert array.null_count == 0
    return array.to_pylist(), {reason: np.flatnonzero(mask).tolist() for reason, mask in found.faults.items()}


def same(found, expected) -> bool:
    return np.array_equal(np.array(found, float), np.array(expected, float), equal_nan=True)


CASES = [
    # one row: how it is read, dtype, the values of an example, what comes out, the reason it cannot be used
    ("number", "float32", [0.5], 0.5, None),
    ("number", "float32", [3], 3.0, None),
    ("number", "float32", [NAN], NAN, None),
    ("number", "float32", [math.inf], math.inf, None),
    ("number", "float32", [1.0, 2.0], NAN, WRONG_TYPE),
    ("number", "float32", [b"1"], NAN, WRONG_TYPE),
    ("integer", "int64", [3], 3, None),
    ("integer", "int64", [3.0], 3, None),
    ("integer", "int64", [3.5], MISSING_INT, WRONG_TYPE),
    ("integer", "int64", [NAN], MISSING_INT, None),
    ("integer", "int64", [math.inf], MISSING_INT, WRONG_TYPE),
    ("integer", "int64", [b"3"], MISSING_INT, WRONG_TYPE),
    ("integer", "int64", [3, 4], MISSING_INT, WRONG_TYPE),
    ("date", "int64", [86_400], 86_400, None),
    ("date", "int64", [86_400.75], 86_400, None),
    ("date", "int64", [b"1970-01-02"], 86_400, None),
    ("date", "int64", [b"1970-01-02T00:00:00+01:00"], 86_400 - 3600, None),
    ("date", "int64", [b"tomorrow"], MISSING_INT, WRONG_TYPE),
    ("date", "int64", [b""], MISSING_INT, None),
    ("date", "int64", [1, 2], MISSING_INT, WRONG_TYPE),
    ("text", "string", ["Größe".encode()], "Größe", None),
    ("text", "string", [-7], "-7", None),
    ("text", "string", [b""], "", None),
    ("text", "string", [b"\xff\xfe"], "", UNPARSABLE_EXAMPLE),
    ("text", "string", [b"a", b"b"], "", WRONG_TYPE),
    ("text", "string", [0.5], "", WRONG_TYPE),
    ("words", "string", [b"red shoe"], "red shoe", None),
    ("words", "string", [b"red", b"", b"shoe"], "red shoe", None),
    ("words", "string", [b"\xff", b"shoe"], "shoe", UNPARSABLE_EXAMPLE),
    ("texts", "string", [b"a", b"", b"b", b"a"], ["a", "b", "a"], None),
    ("texts", "string", [7, 8], ["7", "8"], None),
    ("texts", "string", [0.5, 1.5], [], WRONG_TYPE),
    ("texts", "string", [b"a", b"\xff"], ["a"], UNPARSABLE_EXAMPLE),
]


@pytest.mark.parametrize(("what", "dtype", "values", "expected", "reason"), CASES)
@pytest.mark.parametrize("beside", [True, False])
def test_each_kind_of_value_as_each_kind_of_column(what, dtype, values, expected, reason, beside):
    """Alone, and in a batch with an example that lacks the feature and one of another kind."""
    missing = {"float32": NAN, "int64": MISSING_INT, "string": [] if what == "texts" else ""}[dtype]
    examples = [example(x=values)] + ([example(y=[1]), example(x=[b"1970-01-01"]), EMPTY_LIST] if beside else [])
    found, faults = decoded(column(what, dtype), examples)
    assert found[0] == expected or (found[0] != found[0] and expected != expected)
    assert [why for why, places in faults.items() if 0 in places] == ([] if reason is None else [reason])
    if beside:
        assert all(found[place] == missing or found[place] != found[place] for place in (1, 3))
        assert not any(place in places for places in faults.values() for place in (1, 3))


def test_numbers_of_one_kind_are_read_in_one_go():
    found, faults = decoded(column("number", "float32"), [example(x=[0.1]), example(), example(x=[1e-30])])
    assert same(found, np.float32([0.1, NAN, 1e-30]))
    assert not faults


@pytest.mark.parametrize(
    ("values", "expected", "reason"),
    [
        ([1.0, NAN], [1.0, NAN], None),
        ([1, 2], [1.0, 2.0], None),
        ([1.0], [NAN, NAN], WRONG_LENGTH),
        ([1.0, 2.0, 3.0], [NAN, NAN], WRONG_LENGTH),
        ([b"1", b"2"], [NAN, NAN], WRONG_TYPE),
    ],
)
def test_vectors(values, expected, reason):
    found, faults = decoded(column("vector", "float32", 2), [example(y=[1]), example(x=values), EMPTY_LIST])
    assert same(found, [[NAN, NAN], expected, [NAN, NAN]])
    assert faults == ({} if reason is None else {reason: [1]})


def test_scalars_are_grouped_in_the_order_of_their_names():
    wanted = column("grouped", "float32", 3, ("c", "a", "b"))
    examples = [example(a=[1.0], b=[2], c=[3.0]), example(a=[4.0]), example(a=[1.0], b=[5, 6]), example(b=[b"1"])]
    found, faults = decoded(wanted, examples)
    assert same(found, [[3, 1, 2], [NAN, 4, NAN], [NAN] * 3, [NAN] * 3])
    assert faults == {WRONG_TYPE: [2, 3]}


@pytest.mark.parametrize(
    ("values", "expected"), [([b"a| b |"], ["a", "b"]), ([b"a|b", b"c"], ["a", "b", "c"]), ([b"|"], [])]
)
def test_texts_may_hold_several_values_each(values, expected):
    found, _ = decoded(column("texts", "string", separator="|"), [example(x=values), example()])
    assert found == [expected, []]


def test_what_cannot_be_parsed_is_missing():
    found, faults = decoded(column("number", "float32"), [example(x=[1.0]), b"\x0a\x05abc", example(x=[2.0])])
    assert same(found, [1.0, NAN, 2.0])
    assert faults == {UNPARSABLE_EXAMPLE: [1]}


def test_no_examples_have_empty_columns():
    found = decode([], [column("vector", "float32", 2)])
    assert found.count == 0
    assert found.columns == {"x": pa.array([], pa.list_(pa.float32(), 2))}
