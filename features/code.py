"""Features that a function of the user computes: its module imported, traced and checked before any work."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from features.graph_faults import python_operations
from features.user_module import error_told, import_module, importable, module_digest
from ranker.data.columns import Column
from ranker.errors import RankerError
from ranker.spec import Code, Spec

__all__ = ["LoadedCode", "code_digest", "load_code"]

_EXPECTED = "expected numbers, [documents] or [documents, width]"
_EXAMPLES: Mapping[str, Any] = {
    "float32": np.array([1.5, -2.25, 7.0], np.float32),
    "int64": np.array([0, 86_400, 1_700_000_000]),
    "string": np.array([b"a", b"bc de", b""], object),
}


@dataclass(frozen=True)
class LoadedCode:
    """A function of the user as that of a feature.

    Attributes:
        function: what the user wrote.
        folder: of the spec, for modules that it imports when it is called.
        inputs: type and shape of each argument.
        width: of the vectors that it gives.
    """

    function: Callable[..., Any]
    folder: Path
    inputs: tuple[Any, ...]
    width: int

    def __call__(self, values: list[Any]) -> tf.Tensor:
        """float32 `[rows, width]` of the values of its inputs."""
        shaped = [
            tf.ensure_shape(value, spec.shape) if isinstance(spec, tf.TensorSpec) else value
            for value, spec in zip(values, self.inputs, strict=True)
        ]
        with importable(self.folder):
            numbers = self.function(*shaped)
        numbers = numbers[:, tf.newaxis] if numbers.shape.rank == 1 else numbers
        return tf.ensure_shape(tf.cast(numbers, tf.float32), [None, self.width])


def load_code(feature: Code, spec: Spec, columns: Mapping[str, Column]) -> LoadedCode:
    """Import the function of a feature and trace it once.

    Args:
        feature: of the spec.
        spec: says in which folder the module is.
        columns: raw columns by name.

    Raises:
        RankerError: if it cannot be imported or traced, or gives what is no feature; with the user's file and line.
    """
    folder = spec.path(".").resolve()
    inputs = tuple(_input(columns[name]) for name in feature.inputs)
    with importable(folder):
        function = _function(feature, folder)
        try:
            traced = tf.function(function, autograph=False).get_concrete_function(*inputs)
        except Exception as error:  # noqa: BLE001 - whatever the code of a user raises
            raise RankerError(f"{feature.code} cannot be traced: {error_told(error, folder)}") from None
    _refuse_what_is_not_saved(feature, traced)
    width = _width(feature, traced.structured_outputs)
    _refuse_mixed_documents(feature, traced, inputs)
    return LoadedCode(function, folder, inputs, width)


def code_digest(feature: Code, spec: Spec) -> str:
    """SHA-256 of the sources that the function comes from, see `module_digest`."""
    return module_digest(feature.code.partition(":")[0], spec.path(".").resolve())


def _input(column: Column) -> Any:
    if column.multivalued:
        return tf.RaggedTensorSpec([None, None], tf.string)
    return tf.TensorSpec([None] if column.width is None else [None, column.width], tf.as_dtype(column.dtype))


def _function(feature: Code, folder: Path) -> Callable[..., Any]:
    name, _, attribute = feature.code.partition(":")
    module = import_module(name, folder)
    function = getattr(module, attribute, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        near = difflib.get_close_matches(attribute, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {known}"
        raise RankerError(f"module {name} has no function {attribute!r}; {hint}")
    try:
        inspect.signature(function).bind(*feature.inputs)
    except TypeError as error:
        takes = inspect.signature(function)
        raise RankerError(f"{feature.code} takes {takes}, the inputs are {feature.inputs}: {error}") from None
    except ValueError:  # no signature is known: tracing will tell
        pass
    return function


def _refuse_what_is_not_saved(feature: Code, traced: Any) -> None:
    if found := python_operations(traced.graph.as_graph_def()):
        raise RankerError(
            f"{feature.code} calls Python from the graph ({', '.join(found)}); write it with TensorFlow operations"
        )
    resources = {tensor.dtype for tensor in traced.graph.external_captures} & {tf.resource, tf.variant}
    if resources or any(operation.type in _STATE for operation in traced.graph.get_operations()):
        raise RankerError(
            f"{feature.code} uses a variable or a lookup table; expected operations and constants only, "
            "put the rest into a SavedModel and use kind: saved_model"
        )


_STATE = frozenset({"VarHandleOp", "HashTableV2", "MutableHashTableV2", "MutableDenseHashTableV2"})


def _width(feature: Code, output: Any) -> int:
    if not isinstance(output, tf.Tensor):
        raise RankerError(f"{feature.code} gives {type(output).__name__}; {_EXPECTED}")
    shape = output.shape
    told = f"{feature.code} gives {output.dtype.name} {'of any shape' if shape.rank is None else shape.as_list()}"
    if not (output.dtype.is_floating or output.dtype.is_integer) or shape.rank not in (1, 2):
        raise RankerError(f"{told}; {_EXPECTED}")
    width = 1 if shape.rank == 1 else shape[1]
    if width is None:
        raise RankerError(f"{told}, without a width; set it with tf.ensure_shape(..., [None, width])")
    if feature.width not in (None, width):
        raise RankerError(f"{told}; the feature's `width` is {feature.width}")
    return width


def _refuse_mixed_documents(feature: Code, traced: Any, inputs: tuple[Any, ...]) -> None:
    """Of three documents: what they get together and each alone has to agree, or training and serving would differ."""
    values = [_examples(spec) for spec in inputs]
    try:
        together = traced(*values).numpy()
        alone = [traced(*(value[row : row + 1] for value in values)).numpy() for row in range(3)]
    except tf.errors.OpError:  # not every function takes any value
        return
    if together.shape[:1] != (3,) or any(one.shape[:1] != (1,) for one in alone):
        raise RankerError(f"{feature.code} gives {together.shape[0]} rows for 3 documents; {_EXPECTED}")
    if not np.allclose(together, np.concatenate(alone), rtol=1e-3, atol=1e-5, equal_nan=True):
        raise RankerError(
            f"{feature.code} gives a document other numbers among others than alone "
            f"({together[0]} and {alone[0][0]}); a feature has to come from the values of its own document"
        )


def _examples(spec: Any) -> Any:
    if isinstance(spec, tf.RaggedTensorSpec):
        return tf.ragged.constant([[b"a"], [], [b"b", b"c d"]], dtype=tf.string)
    values = _EXAMPLES[spec.dtype.name]
    return tf.constant(values if spec.shape.rank == 1 else np.stack([values] * spec.shape[1], axis=1))
