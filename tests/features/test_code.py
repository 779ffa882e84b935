"""Features of a user's function: its numbers, and what is said of functions that cannot be used."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from features.code import LoadedCode, code_digest, load_code
from ranker.data.columns import Column
from ranker.errors import RankerError
from ranker.spec import Code, Spec


def test_numbers_are_those_of_the_function(kinds, reference):
    """z-score of price / stock; without stock it is infinite, which counts as missing, and so does a missing price."""

    def margin(query_id: str) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = kinds.column(query_id, "price") / kinds.column(query_id, "stock")
        return np.where(np.isfinite(ratio), ratio, np.nan)

    train = np.concatenate([margin(query_id) for query_id in kinds.tables.of_split("train")])
    assert 0 < np.isnan(train).sum() < len(train)
    for query_id in kinds.all_lists:
        wanted = reference.zscores(margin(query_id), train)
        np.testing.assert_allclose(kinds.dense(query_id, "margin"), wanted, rtol=1e-4, atol=1e-5)
        rank = kinds.dense(query_id, "rank_in_list_margin")
        known = margin(query_id)[~np.isnan(margin(query_id))]
        for got, number in zip(rank, margin(query_id), strict=True):
            ranked = np.sum(known > number) + (np.sum(known == number) + 1) / 2
            assert got == ((len(known) + 1) / 2 if np.isnan(number) else ranked)


def test_vectors_of_values_of_every_type(kinds, reference):
    """Numbers of a vector, a date, how many distinct categories and letters there are, a number of the query."""
    for query_id in list(kinds.all_lists)[::3]:
        query, documents = kinds.values_of(query_id)
        got = np.stack([kinds.dense(query_id, f"details_{i}") for i in range(5)], axis=1)
        for row, (picture, released, genres, blurb) in zip(
            got, zip(*(documents[n] for n in ("picture", "released", "genres", "blurb")), strict=True), strict=True
        ):
            days = max(reference.seconds(released) or 0, 0) / 86_400
            counts = [days, len(set(genres)), len(blurb.encode())]
            np.testing.assert_allclose(row[1:4], counts, rtol=1e-6)
            if picture is not None and None not in picture[2:]:
                np.testing.assert_allclose(row[0], picture[2] * 0.5 - 2 * picture[3], rtol=1e-4, atol=1e-5)
            if query["age"] is not None:
                assert row[4] == query["age"]


def test_a_function_of_the_query_is_called_with_queries(kinds):
    for query_id, row in kinds.tables.queries.items():
        got = kinds.dense(query_id, "asked")
        np.testing.assert_allclose(got, [np.log1p(len(row["query"]))] * len(got), rtol=1e-6)


# --- what cannot be used ----------------------------------------------------------------------------------------------

SOURCE = """
import numpy as np
import tensorflow as tf

TABLE = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1.0]), -1.0)
SCALE = tf.Variable(2.0)
constant = 3


def twice(x):
    return 2 * x


def pair(x, y):
    return tf.stack([x, y], axis=1)


def optional(x, y=None):
    return x


def whole(text):
    return tf.strings.length(text)


def wrong(x):
    helper = x + "a"
    return helper


def branch(x):
    if tf.reduce_sum(x) > 0:
        return x
    return -x


def python(x):
    return tf.numpy_function(np.sin, [x], tf.float32)


def nested(x):
    return tf.map_fn(lambda one: tf.py_function(np.sin, [one], tf.float32), x)


def table(text):
    return TABLE.lookup(text)


def own_table(text):
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1.0]), -1.0).lookup(text)


def variable(x):
    return x * SCALE


def mean(x):
    return x - tf.reduce_mean(x)


def total(x):
    return tf.reduce_sum(x, keepdims=True)


def scalar(x):
    return tf.reduce_sum(x)


def random(x):
    return x + tf.random.uniform(tf.shape(x))


def words(text):
    return tf.strings.upper(text)


def cube(v):
    return v[:, tf.newaxis]


def open(v):
    return tf.boolean_mask(v, v[0] > 0, axis=1)


def numbers(text):
    return tf.strings.to_number(text)


def nothing(x):
    pass


def array(x):
    return np.zeros(3)


def several(x):
    return {"a": x}


def nan(x):
    return x / 0.0 - x / 0.0
"""
COLUMNS = {
    column.name: column
    for column in (
        *(Column("x", "document", "float32"), Column("y", "document", "float32"), Column("day", "document", "int64")),
        *(Column("v", "document", "float32", 4), Column("text", "document", "string")),
        Column("tags", "document", "string", multivalued=True),
    )
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the module `mine`, and the package `parts`."""
    path = tmp_path_factory.mktemp("modules")
    (path / "mine.py").write_text(SOURCE)
    (path / "parts").mkdir()
    (path / "parts" / "__init__.py").touch()
    (path / "parts" / "more.py").write_text("from parts.deep import function\n")
    (path / "parts" / "deep.py").write_text("def function(x):\n    from parts import late\n    return x * late.SCALE\n")
    (path / "parts" / "late.py").write_text("SCALE = 3.0\n")
    return path


def load(folder: Path, code: str, *inputs: str, width: int | None = None) -> LoadedCode:
    spec = Spec.model_construct()
    spec._base = folder
    feature = Code(
        name="f", kind="code", code=code if ":" in code else f"mine:{code}", inputs=list(inputs), width=width
    )
    return load_code(feature, spec, COLUMNS)


@pytest.mark.parametrize(
    ("code", "inputs", "width"),
    [
        ("twice", ["x"], 1),
        ("twice", ["v"], 4),
        ("twice", ["day"], 1),
        ("pair", ["x", "y"], 2),
        ("pair", ["x", "x"], 2),
        ("optional", ["x"], 1),
        ("optional", ["x", "tags"], 1),
        ("whole", ["text"], 1),
        ("numbers", ["text"], 1),
        ("nan", ["x"], 1),
        ("parts.more:function", ["x"], 1),
        ("tensorflow:abs", ["x"], 1),
    ],
)
def test_the_width_is_that_of_the_output(folder, code, inputs, width):
    assert load(folder, code, *inputs).width == load(folder, code, *inputs, width=width).width == width


@pytest.mark.parametrize(
    ("code", "inputs", "message"),
    [
        ("none:f", ["x"], "no module 'none' in {folder}, and none is installed"),
        ("parts.none:f", ["x"], "no module 'parts.none' in {folder}, and none is installed"),
        ("twic", ["x"], "module mine has no function 'twic'; did you mean 'twice'?"),
        ("constant", ["x"], "module mine has no function 'constant'; there are ['twice', 'pair', "),
        ("pair", ["x"], "mine:pair takes (x, y), the inputs are ['x']: missing a required argument: 'y'"),
        ("twice", ["x", "y"], "mine:twice takes (x), the inputs are ['x', 'y']: too many positional arguments"),
        ("wrong", ["x"], "mine:wrong cannot be traced: "),
        ("wrong", ["x"], " (mine.py:27)"),
        ("branch", ["x"], "mine:branch cannot be traced: OperatorNotAllowedInGraphError: Using a symbolic `tf.Tensor`"),
        ("twice", ["text"], "mine:twice cannot be traced: "),
        ("python", ["x"], "mine:python calls Python from the graph (PyFunc); write it with TensorFlow operations"),
        ("nested", ["x"], "mine:nested calls Python from the graph (EagerPyFunc)"),
        ("table", ["text"], "mine:table uses a variable or a lookup table; expected operations and constants only"),
        ("own_table", ["text"], "mine:own_table uses a variable or a lookup table"),
        ("variable", ["x"], "mine:variable uses a variable or a lookup table"),
        ("mean", ["x"], "mine:mean gives a document other numbers among others than alone (-0.58"),
        ("random", ["x"], "mine:random gives a document other numbers among others than alone"),
        ("total", ["x"], "mine:total gives 1 rows for 3 documents; expected numbers, [documents] or [documents, wid"),
        ("scalar", ["x"], "mine:scalar gives float32 []; expected numbers, [documents] or [documents, width]"),
        ("words", ["text"], "mine:words gives string [None]; expected numbers"),
        ("cube", ["v"], "mine:cube gives float32 [None, 1, 4]; expected numbers"),
        ("open", ["v"], "mine:open gives float32 [None, None], without a width; set it with tf.ensure_shape"),
        ("nothing", ["x"], "mine:nothing gives NoneType; expected numbers"),
        ("several", ["x"], "mine:several gives dict; expected numbers"),
    ],
)
def test_what_cannot_be_used_is_said(folder, code, inputs, message):
    with pytest.raises(RankerError, match=re.escape(message.format(folder=folder))):
        load(folder, code, *inputs)


def test_another_width_than_that_of_the_function_is_said(folder):
    with pytest.raises(RankerError, match=re.escape("mine:pair gives float32 [None, 2]; the feature's `width` is 3")):
        load(folder, "pair", "x", "y", width=3)


def test_modules_are_forgotten(folder):
    """Also those that a function imports when it is called."""
    loaded = load(folder, "parts.more:function", "x")
    assert loaded([np.float32([1, 2])]).numpy().tolist() == [[3], [6]]
    assert not {"mine", "parts", "parts.more", "parts.deep", "parts.late"} & set(sys.modules)
    assert str(folder) not in sys.path


def test_the_digest_is_of_the_sources(folder):
    spec = Spec.model_construct()
    spec._base = folder
    digests = [
        code_digest(Code(name="f", kind="code", code=code, inputs=["x"]), spec)
        for code in ("mine:twice", "mine:pair", "parts.more:function")
    ]
    assert digests[0] == digests[1] != digests[2]
