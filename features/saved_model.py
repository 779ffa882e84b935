"""Features that another SavedModel computes: its signature checked against the columns, and its place in the graph."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from features.graph_faults import python_operations
from ranker.data.columns import MISSING_INT, Column
from ranker.errors import RankerError
from ranker.spec import SavedModel, Spec

__all__ = ["LoadedModel", "load_model", "model_digest"]


@dataclass(frozen=True)
class LoadedModel:
    """A signature as the function of a feature.

    Attributes:
        feature: what to read and give.
        path: folder of the model.
        output: name of the output.
        inputs: dtype and shape of each input of the signature.
        width: of the vectors that it gives.
    """

    feature: SavedModel
    path: Path
    output: str
    inputs: Mapping[str, tf.TensorSpec]
    width: int

    def __call__(self, values: list[Any]) -> tf.Tensor:
        """float32 `[rows, width]` of values `[rows]` or `[rows, width]` of the inputs' columns.

        A missing date is NaN for an input of floating type, for one of int64 it stays the smallest int64. A single row
        is given twice and the second answer dropped: TensorFlow multiplies one row by a matrix in another order of
        additions than several, and the bits of a list must not depend on how many others are computed with it.

        It can be called where TensorFlow Transform traces its function. Variables and assets become part of its graph.
        """
        model = tft.make_and_track_object(self._load, name=f"saved_model_{self.feature.name}")
        rows = tf.shape(values[0])[0]
        again = tf.cast(tf.equal(rows, 1), tf.int32)
        tensors = {
            name: _shaped(_typed(tf.concat([value, value[:again]], axis=0), spec.dtype), spec.shape)
            for (name, spec), value in zip(self._ordered(), values, strict=True)
        }
        numbers = model.signatures[self.feature.signature](**tensors)[self.output][:rows]
        numbers = numbers[:, tf.newaxis] if numbers.shape.rank == 1 else numbers
        return tf.ensure_shape(tf.cast(numbers, tf.float32), [None, self.width])

    def _ordered(self) -> list[tuple[str, tf.TensorSpec]]:
        """The inputs in the order in which the feature names them."""
        return [(name, self.inputs[name]) for name in self.feature.inputs]

    def _load(self) -> Any:
        """Anew for each trace: a loaded model can be saved as part of one graph only."""
        try:
            return tf.saved_model.load(str(self.path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise RankerError(f"{self.path}: cannot load the SavedModel: {str(error).splitlines()[0]}") from None


def load_model(feature: SavedModel, spec: Spec, columns: Mapping[str, Column]) -> LoadedModel:
    """Find the signature of a feature, and check that it takes the columns and gives a number or vector for each row.

    Args:
        feature: of the spec.
        spec: says where relative paths begin.
        columns: raw columns by name.

    Raises:
        RankerError: if there is no such model or signature, or it does not fit; with what was expected and found.
    """
    path = _folder(spec, feature)
    graph = _read(path)
    if found := python_operations(graph.graph_def):
        raise RankerError(f"{path}: holds Python functions ({', '.join(found)}), which are not saved with it")
    signatures = {name: found for name, found in graph.signature_def.items() if not name.startswith("__")}
    if feature.signature not in signatures:
        raise RankerError(f"{path}: no signature {feature.signature!r}; there are {sorted(signatures)}")
    signature = signatures[feature.signature]
    said = f"{path}: signature {feature.signature!r}"
    inputs = {name: _spec(info) for name, info in signature.inputs.items()}
    if set(inputs) != set(feature.inputs):
        raise RankerError(f"{said}: its inputs are {_told(inputs)}; the feature gives {sorted(feature.inputs)}")
    for name, column in feature.inputs.items():
        if not _takes(inputs[name], columns[column]):
            given = f"column {column!r} is {_told_column(columns[column])}"
            raise RankerError(f"{said}: input {name!r} is {_told_one(inputs[name])}; {given}")
    outputs = {name: _spec(info) for name, info in signature.outputs.items()}
    if feature.output is None and len(outputs) > 1:
        raise RankerError(f"{said}: its outputs are {_told(outputs)}; say which as `output`")
    output = next(iter(outputs)) if feature.output is None else feature.output
    if output not in outputs:
        raise RankerError(f"{said}: its outputs are {_told(outputs)}; there is no {output!r}")
    return LoadedModel(feature, path, output, inputs, _width(feature, outputs[output], f"{said}: output {output!r}"))


def model_digest(feature: SavedModel, spec: Spec) -> str:
    """SHA-256 of the names and contents of the model's files.

    Raises:
        RankerError: if there are none.
    """
    path = _folder(spec, feature)
    digest = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        with file.open("rb") as content:
            of_file = hashlib.file_digest(content, "sha256").hexdigest()
        digest.update(f"{file.relative_to(path).as_posix()}\0{of_file}\n".encode())
    return digest.hexdigest()


def _folder(spec: Spec, feature: SavedModel) -> Path:
    path = spec.path(feature.path)
    if not (path / "saved_model.pb").is_file():
        raise RankerError(f"{path}: no SavedModel: expected a folder with the file saved_model.pb")
    return path


def _read(path: Path) -> meta_graph_pb2.MetaGraphDef:
    try:
        model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    except DecodeError:
        raise RankerError(f"{path / 'saved_model.pb'}: cannot read: not a SavedModel") from None
    graphs = [graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags]
    if not graphs:
        tags = [sorted(graph.meta_info_def.tags) for graph in model.meta_graphs]
        raise RankerError(f"{path}: no graph with the tag 'serve'; there are {tags}")
    return graphs[0]


# --- what fits --------------------------------------------------------------------------------------------------------


def _spec(info: meta_graph_pb2.TensorInfo) -> tf.TensorSpec:
    shape = None if info.tensor_shape.unknown_rank else [d.size if d.size >= 0 else None for d in info.tensor_shape.dim]
    return tf.TensorSpec(shape, tf.as_dtype(info.dtype))


def _takes(wanted: tf.TensorSpec, column: Column) -> bool:
    """Whether an input takes the values of a column: of the type, or to be cast to it; any number of rows."""
    given = tf.as_dtype(column.dtype)
    if column.multivalued or (wanted.dtype != given and not (wanted.dtype.is_floating and given != tf.string)):
        return False
    if wanted.shape.rank is None:
        return True
    shapes = [[None, column.width]] if column.width is not None else [[None], [None, 1]]
    return any(wanted.shape[:1].as_list() == [None] and wanted.shape.is_compatible_with(shape) for shape in shapes)


def _typed(values: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Values as the type of an input; a missing date becomes NaN where that type has it."""
    if values.dtype == dtype:
        return values
    cast = tf.cast(values, dtype)
    if values.dtype != tf.int64:
        return cast
    return tf.where(tf.equal(values, MISSING_INT), tf.constant(float("nan"), dtype), cast)


def _shaped(values: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    """Values `[rows]` as `[rows, 1]` where that is wanted."""
    return values[:, tf.newaxis] if shape.rank == 2 and values.shape.rank == 1 else values


def _width(feature: SavedModel, output: tf.TensorSpec, said: str) -> int:
    shape = output.shape
    numbers = output.dtype.is_floating or output.dtype.is_integer
    if not numbers or shape.rank not in (1, 2, None) or (shape.rank is not None and shape[0] is not None):
        expected = "expected one number or one vector of numbers for each row: [rows] or [rows, width]"
        raise RankerError(f"{said} is {_told_one(output)}; {expected}")
    found = 1 if shape.rank == 1 else shape[1] if shape.rank == 2 else None
    width = feature.width if found is None else found
    if width is None:
        raise RankerError(
            f"{said} is {_told_one(output)}: it does not say how many numbers; give the feature a `width`"
        )
    if feature.width not in (None, width):
        raise RankerError(f"{said} has {width} numbers for each row, the feature's `width` is {feature.width}")
    return int(width)


def _told(specs: Mapping[str, tf.TensorSpec]) -> str:
    return ", ".join(f"{name} ({_told_one(spec)})" for name, spec in sorted(specs.items()))


def _told_one(spec: tf.TensorSpec) -> str:
    if spec.shape.rank is None:
        return f"{spec.dtype.name} of any shape"
    sizes = ["?" if size is None else str(size) for size in spec.shape.as_list()]
    if sizes[:1] == ["?"]:
        sizes[0] = "rows"
    return f"{spec.dtype.name} [{', '.join(sizes)}]"


def _told_column(column: Column) -> str:
    many = ", values" if column.multivalued else "" if column.width is None else f", {column.width}"
    return f"{column.dtype} [rows{many}]"
