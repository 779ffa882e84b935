"""Features of another SavedModel: its numbers, what does not fit, and that nothing of the folder is needed later."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_transform.annotators import ObjectTracker, object_tracker_scope
from tensorflow_transform.graph_context import TFGraphContext

from features.saved_model import LoadedModel, load_model, model_digest
from ranker.data.columns import MISSING_INT, Column
from ranker.errors import RankerError
from ranker.spec import SavedModel, Spec

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3) / 4  # of the words red, shoe, blue, and of all others
ROWS = {"red": 0, "shoe": 1, "blue": 2}


def test_vectors_are_those_of_the_model(kinds, reference):
    """min-max of what the model gives; a missing scale makes all numbers of a row missing: they are the mean."""

    def encoded(query_id: str) -> np.ndarray:
        rows = []
        for text, scale in zip(*(kinds.tables.of_list(query_id, n) for n in ("summary", "stars")), strict=True):
            vectors = [VECTORS[ROWS.get(word, 3)] for word in text.split()]
            rows.append(np.sum(vectors, axis=0, initial=0) * np.ones(3) * (np.nan if scale is None else scale))
        return np.array(rows)

    train = np.concatenate([encoded(query_id) for query_id in kinds.tables.of_split("train")])
    assert np.isnan(train).any()
    low, high, mean = np.nanmin(train, axis=0), np.nanmax(train, axis=0), np.nanmean(train, axis=0)
    for query_id in kinds.all_lists:
        raw = encoded(query_id)
        wanted = (np.where(np.isnan(raw), mean, raw) - low) / (high - low)
        got = np.stack([kinds.dense(query_id, f"encoded_{i}") for i in range(3)], axis=1)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_numbers_of_the_query_alone_are_those_of_its_documents(kinds):
    """Inputs in another order than in the signature; whole numbers."""
    for query_id, row in kinds.tables.queries.items():
        got = kinds.dense(query_id, "query_words")
        assert got.tolist() == [len(row["query"].split())] * len(got)


# --- alone in the world -----------------------------------------------------------------------------------------------

_APPLY = """
import json, runpy, sys
from pathlib import Path
conftest, spec, path = sys.argv[1:]
from ranker.spec import Spec
prepared = runpy.run_path(conftest)["Prepared"](Spec.model_validate(json.loads(spec)), Path(path), None)
print(json.dumps({query_id: prepared.apply_to(query_id)["dense"] for query_id in ("q11", "q23")}))
"""


def test_the_graph_runs_where_neither_model_nor_modules_are(kinds, tmp_path):
    """In a new process, in another folder; the fixture deleted them when the graph was made."""
    assert not [name for name in ("encoder", "pricing.py", "rates.py") if (kinds.path / name).exists()]
    done = subprocess.run(
        [sys.executable, "-c", _APPLY, Path(__file__).parent / "conftest.py", kinds.spec.model_dump_json(), kinds.path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for query_id, dense in json.loads(done.stdout).items():
        assert np.array(dense, np.float32).tobytes() == kinds.all_lists[query_id].dense.tobytes()


# --- what does not fit ------------------------------------------------------------------------------------------------


def signatures() -> dict[str, tf.types.experimental.ConcreteFunction]:
    """Of all sorts."""
    four, days = tf.TensorSpec([None, 4], tf.float32, name="x"), tf.TensorSpec([None], tf.int64, name="x")

    def concrete(function, given=four):
        return tf.function(function, input_signature=[given], autograph=False).get_concrete_function()

    return {
        "one": concrete(lambda x: {"y": tf.reduce_sum(x, axis=1)}),
        "two": concrete(lambda x: {"y": x, "z": x[:, :1]}),
        "cube": concrete(lambda x: {"y": x[:, :, tf.newaxis]}),
        "text": concrete(lambda x: {"y": tf.strings.as_string(x)}),
        "open": concrete(lambda x: {"y": tf.boolean_mask(x, x[0] > 0, axis=1)}),
        "fixed": concrete(lambda x: {"y": x}, tf.TensorSpec([1, 4], tf.float32, name="x")),
        "whole": concrete(lambda x: {"y": x}, days),
        "any": concrete(lambda x: {"y": tf.cast(x, tf.float32)}, tf.TensorSpec(None, tf.float64, name="x")),
        "years": concrete(lambda x: {"y": x}, tf.TensorSpec([None, 1], tf.float32, name="x")),
        "lowest": concrete(lambda x: {"y": tf.cast(tf.equal(x, tf.int64.min), tf.int32)}, days),
        "product": concrete(lambda x: {"y": tf.matmul(x, WEIGHTS)}, tf.TensorSpec([None, 1000], tf.float32, name="x")),
        "words": concrete(lambda x: {"y": tf.strings.length(x)}, tf.TensorSpec([None, 1], tf.string, name="x")),
    }


WEIGHTS = np.random.default_rng(2).normal(size=(1000, 3)).astype(np.float32)
COLUMNS = {
    column.name: column
    for column in (
        *(Column("v4", "document", "float32", 4), Column("v3", "document", "float32", 3)),
        *(Column("number", "document", "float32"), Column("text", "document", "string")),
        *(Column("day", "document", "int64"), Column("image", "document", "float32", 1000)),
        *(Column("tags", "document", "string", multivalued=True),),
    )
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the model `many`."""
    path = tmp_path_factory.mktemp("models")
    tf.saved_model.save(tf.Module(), str(path / "many"), signatures=signatures())
    return path


def spec_in(folder: Path) -> Spec:
    spec = Spec.model_construct()
    spec._base = folder
    return spec


def load(folder: Path, **changed) -> LoadedModel:
    given = {"name": "f", "kind": "saved_model", "path": "many", "signature": "one", "inputs": {"x": "v4"}} | changed
    return load_model(SavedModel.model_validate(given), spec_in(folder), COLUMNS)


@pytest.mark.parametrize(
    ("changed", "width"),
    [
        ({}, 1),
        ({"width": 1}, 1),
        ({"signature": "two", "output": "y"}, 4),
        ({"signature": "two", "output": "z"}, 1),
        ({"signature": "whole", "inputs": {"x": "day"}}, 1),
        ({"signature": "any", "inputs": {"x": "number"}, "width": 1}, 1),
        ({"signature": "any", "inputs": {"x": "v3"}, "width": 3}, 3),
        ({"signature": "any", "inputs": {"x": "day"}, "width": 1}, 1),
        ({"signature": "words", "inputs": {"x": "text"}}, 1),
        ({"signature": "open", "width": 2}, 2),
    ],
)
def test_the_width_is_that_of_the_output(folder, changed, width):
    assert load(folder, **changed).width == width


def call(model: LoadedModel, values: np.ndarray) -> np.ndarray:
    """The model as part of a graph, traced as TensorFlow Transform does."""
    module, kept = tf.Module(), ObjectTracker()
    given = tf.TensorSpec([None, *values.shape[1:]], values.dtype)
    context = TFGraphContext(module_to_export=module, temp_dir=None, evaluated_replacements=None)
    with context, object_tracker_scope(kept):
        function = tf.function(lambda x: model([x]), [given], autograph=False).get_concrete_function()
    return function(tf.constant(values)).numpy()


def test_a_missing_date_is_nan_for_a_floating_input_and_stays_for_a_whole_one(folder):
    dates = np.array([MISSING_INT, 0, -(2**40), 86_400])
    for signature in ("any", "years"):
        got = call(load(folder, signature=signature, inputs={"x": "day"}, width=1), dates)
        np.testing.assert_array_equal(got, np.array([[np.nan], [0], [-(2**40)], [86_400]], np.float32))
    got = call(load(folder, signature="lowest", inputs={"x": "day"}), dates)
    assert got.tolist() == [[1], [0], [0], [0]]


def test_a_row_has_the_same_bits_alone_and_among_others(folder):
    """A product of one row and a matrix is computed in another way than one of several rows."""
    images = np.random.default_rng(1).normal(size=(300, 1000)).astype(np.float32)
    model = load(folder, signature="product", inputs={"x": "image"})
    together = call(model, images)
    np.testing.assert_allclose(together, images @ WEIGHTS, rtol=1e-4, atol=1e-4)
    for rows in (0, 1, 2, 3, 7, 64):
        got = call(model, images[:rows])
        assert got.shape == (rows, 3)
        assert got.tobytes() == together[:rows].tobytes(), rows


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"path": "none"}, "/none: no SavedModel: expected a folder with the file saved_model.pb"),
        ({"signature": "on"}, r"/many: no signature 'on'; there are \['any', 'cube', 'fixed', 'lowest',"),
        (
            {"inputs": {"y": "v4"}},
            r"signature 'one': its inputs are x \(float32 \[rows, 4\]\); the feature gives \['y'\]",
        ),
        ({"inputs": {"x": "v4", "y": "v3"}}, r"its inputs are x .*; the feature gives \['x', 'y'\]"),
        ({"inputs": {"x": "v3"}}, r"input 'x' is float32 \[rows, 4\]; column 'v3' is float32 \[rows, 3\]"),
        ({"inputs": {"x": "number"}}, r"input 'x' is float32 \[rows, 4\]; column 'number' is float32 \[rows\]"),
        ({"inputs": {"x": "text"}}, r"input 'x' is float32 \[rows, 4\]; column 'text' is string \[rows\]"),
        ({"inputs": {"x": "tags"}, "signature": "words"}, r"column 'tags' is string \[rows, values\]"),
        (
            {"inputs": {"x": "number"}, "signature": "whole"},
            r"'x' is int64 \[rows\]; column 'number' is float32 \[rows\]",
        ),
        ({"signature": "fixed"}, r"input 'x' is float32 \[1, 4\]; column 'v4' is float32 \[rows, 4\]"),
        ({"signature": "two"}, r"its outputs are y \(float32 \[rows, 4\]\), z \(.*\); say which as `output`"),
        ({"signature": "two", "output": "x"}, r"its outputs are y .*, z .*; there is no 'x'"),
        ({"signature": "cube"}, r"output 'y' is float32 \[rows, 4, 1\]; expected one number or one vector"),
        ({"signature": "text"}, r"output 'y' is string \[rows, 4\]; expected one number or one vector"),
        ({"signature": "open"}, r"'y' is float32 \[rows, \?\]: it does not say how many numbers; give the feature a"),
        ({"signature": "any", "inputs": {"x": "v4"}}, "'y' is float32 of any shape: it does not say how many numbers"),
        ({"signature": "two", "output": "y", "width": 3}, "has 4 numbers for each row, the feature's `width` is 3"),
    ],
)
def test_what_does_not_fit_is_said(folder, changed, message):
    with pytest.raises(RankerError, match=message):
        load(folder, **changed)


def test_what_is_no_model_is_said(tmp_path):
    for content, message in (
        (b"\xff\xff", "not a SavedModel"),
        (b"", r"no graph with the tag 'serve'; there are \[\]"),
    ):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / "saved_model.pb").write_bytes(content)
        with pytest.raises(RankerError, match=message):
            load(tmp_path)


def test_python_functions_are_refused(tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32)
    module.call = tf.function(lambda x: {"y": tf.numpy_function(np.sin, [x], tf.float32)}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "many"), signatures={"one": module.call})
    with pytest.raises(RankerError, match=re.escape("/many: holds Python functions (PyFunc), which are not saved")):
        load(tmp_path)


# --- digest -----------------------------------------------------------------------------------------------------------


def test_the_digest_is_of_names_and_contents(folder, tmp_path):
    spec = spec_in(tmp_path)
    feature = SavedModel(name="f", kind="saved_model", path="many", inputs={"x": "v4"})
    digests = []
    for change in (
        lambda path: None,
        lambda path: path.touch(),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        lambda path: path.rename(path.with_name("other")),
    ):
        shutil.copytree(folder / "many", tmp_path / "many")
        change(next((tmp_path / "many" / "variables").iterdir()))
        digests.append(model_digest(feature, spec))
        shutil.rmtree(tmp_path / "many")
    assert digests[0] == digests[1]
    assert len({*digests}) == 3
    with pytest.raises(RankerError, match="no SavedModel"):
        model_digest(feature, spec)
