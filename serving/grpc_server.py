"""TensorFlow Serving's PredictionService over gRPC."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.scorer import InferenceError, OnlineScorer

__all__ = ["grpc_server"]

_THREADS = 4
_LARGEST_MESSAGE = 64 << 20
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def grpc_server(scorer: OnlineScorer, address: str, port: int) -> tuple[grpc.Server, int]:
    """A server that is not started yet, and its port (chosen freely if `port` is 0).

    Raises:
        OSError: if the port is taken.
    """
    options = [("grpc.max_receive_message_length", _LARGEST_MESSAGE), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(_THREADS, "grpc"), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_PredictionService(scorer), server)
    try:
        return server, server.add_insecure_port(f"{address}:{port}")
    except RuntimeError:
        raise OSError(f"gRPC port {port} of {address} cannot be opened; is another scorer running there?") from None


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, scorer: OnlineScorer) -> None:
        self._scorer = scorer

    def Predict(  # noqa: N802 - gRPC's spelling
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Named tensors in, named tensors out."""
        try:
            return self._predict(request)
        except InferenceError as error:
            context.abort(_CODES[error.code], str(error))
            raise AssertionError("abort does not return") from None

    def _predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        if not request.HasField("model_spec"):
            raise InferenceError(tf.errors.INVALID_ARGUMENT, "Missing ModelSpec")
        spec = request.model_spec
        if not spec.name:
            raise InferenceError(tf.errors.INVALID_ARGUMENT, "ModelSpec has no name specified.")
        if spec.version_label:
            raise InferenceError(
                tf.errors.INVALID_ARGUMENT, f"Unrecognized servable version label: {spec.version_label}"
            )
        self._scorer.check(spec.name, spec.version.value if spec.HasField("version") else None)
        signature = spec.signature_name or "serving_default"
        tensors = {name: _array(name, tensor) for name, tensor in request.inputs.items()}
        outputs = self._scorer.predict(signature, tensors, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = spec.name, signature
        response.model_spec.version.value = self._scorer.version
        for name, values in outputs.items():
            _put(response.outputs[name], values)
        return response


def _array(name: str, tensor: Any) -> np.ndarray:
    try:
        return tf.make_ndarray(tensor)
    except (TypeError, ValueError, IndexError, KeyError):
        raise InferenceError(tf.errors.INVALID_ARGUMENT, f"tensor parsing error: {name}") from None


def _put(tensor: Any, values: np.ndarray) -> None:
    """float32 values as `float_val`: what clients of TensorFlow Serving read."""
    tensor.dtype = tf.as_dtype(values.dtype).as_datatype_enum
    tensor.tensor_shape.CopyFrom(tf.TensorShape(values.shape).as_proto())
    tensor.float_val.extend(values.ravel().tolist())
