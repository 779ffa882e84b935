"""What the online scorer does, without a word of gRPC or HTTP."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ranker.bundle import Scorer
from ranker.data.requests import parse_request, rank_documents

__all__ = ["InferenceError", "OnlineScorer"]

_SERVED_VERSION = 1
_MOST_DOCUMENTS = 2_000  # of a list
_MOST_SLOTS = 20_000  # of a batch: attention takes memory for slots x documents


class InferenceError(Exception):
    """A request that gets no answer.

    Attributes:
        code: a status code's number, as gRPC and `tf.errors` have them.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class OnlineScorer:
    """One bundle under a model name.

    Args:
        name: that clients ask for.
        bundle: folder of the bundle.

    Raises:
        ArtefactError: if the bundle does not load, or does not give its golden requests the scores they must get.
    """

    version = _SERVED_VERSION

    def __init__(self, name: str, bundle: Path) -> None:
        self.name = name
        self._scorer = Scorer(bundle)
        self._scorer.verify()  # warms it up, too: else the first request would wait a hundred times as long as others

    def check(self, name: str, version: int | None = None) -> None:
        """Refuse a model or version that is not served, as TensorFlow Serving does."""
        if name != self.name or version not in (None, self.version):
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise InferenceError(tf.errors.NOT_FOUND, f"Servable not found for request: {wanted}")

    def rank(self, content: Any) -> dict[str, Any]:
        """Answer a decoded ranking request.

        Returns:
            `model_version`, `took_ms`, `missing` features and `results` by falling score.

        Raises:
            RequestError: if the request is not a list of this bundle's features.
        """
        started = time.perf_counter()
        request = parse_request(content, self._scorer.columns)
        _check_size((1, len(request.document_ids)))
        try:
            scores = self._scorer.score(request)
        except tf.errors.OpError as error:
            raise InferenceError(error.error_code, error.message) from None
        return {
            "id": request.query_id,
            "model_version": str(self.version),
            "took_ms": round((time.perf_counter() - started) * 1000, 3),
            "missing": request.missing,
            "results": rank_documents(request, scores),
        }

    def predict(
        self, signature: str, tensors: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Run a signature, as TensorFlow Serving's Predict.

        Args:
            signature: its name.
            tensors: its inputs.
            outputs: which outputs to give; all if empty.

        Raises:
            InferenceError: with TensorFlow Serving's codes and messages.
        """
        try:
            wanted = self._scorer.inputs(signature)
        except KeyError:
            message = f'Serving signature key "{signature}" not found.'
            raise InferenceError(tf.errors.FAILED_PRECONDITION, message) from None
        _check_inputs(tensors, wanted)
        if "mask" in tensors:
            _check_size(tensors["mask"].shape)
        try:
            results = self._scorer.run(signature, tensors)
        except tf.errors.OpError as error:
            raise InferenceError(error.error_code, error.message) from None
        for name in outputs:
            if name not in results or list(outputs).count(name) > 1:
                what = "repeated" if name in results else "unknown"
                message = f"output_filter: {what} output {name!r}; there are {', '.join(sorted(results))}"
                raise InferenceError(tf.errors.INVALID_ARGUMENT, message)
        return {name: values for name, values in results.items() if not outputs or name in outputs}


def _check_size(shape: tuple[int, ...]) -> None:
    """A list or batch that would take the memory of everybody else is refused."""
    if shape[-1:] > (_MOST_DOCUMENTS,) or math.prod(shape) > _MOST_SLOTS:
        raise InferenceError(
            tf.errors.INVALID_ARGUMENT,
            f"too many documents: {' x '.join(map(str, shape))}; at most {_MOST_DOCUMENTS:,} in a list and "
            f"{_MOST_SLOTS:,} in a batch: send fewer, or rank from files",
        )


def _check_inputs(tensors: Mapping[str, np.ndarray], wanted: Mapping[str, tf.DType]) -> None:
    extra, missing = sorted(set(tensors) - set(wanted)), sorted(set(wanted) - set(tensors))
    if extra or missing:
        raise InferenceError(
            tf.errors.INVALID_ARGUMENT,
            f"input size does not match signature: {len(tensors)}!={len(wanted)} "
            f"len({{{','.join(sorted(tensors))}}}) != len({{{','.join(sorted(wanted))}}}). "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}.",
        )
    for name, dtype in wanted.items():
        given = tf.as_dtype(tensors[name].dtype) if tensors[name].dtype != object else tf.string
        if given != dtype:
            message = f"input {name}: expected to be {_type_name(dtype)} but {_type_name(given)} is provided"
            raise InferenceError(tf.errors.INVALID_ARGUMENT, message)


def _type_name(dtype: tf.DType) -> str:
    return {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
