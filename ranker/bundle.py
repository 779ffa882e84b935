"""The bundle: one SavedModel with everything in it, its manifest, and the scorer that everyone uses.

    saved_model/   signatures `serving_default` and `members`
    manifest.json  spec, members and blend weights, raw columns, validation metrics, versions
    golden.jsonl   sample requests with the scores they must get
    *.lightgbm.txt boosters as LightGBM wrote them

The canonical call is one list through `Scorer`: a v1 Session with one thread, no XLA, the list padded inside the graph
to 16, 32, 64, ... documents. It gives the same floats on the same processor model and TensorFlow build. This module
needs TensorFlow alone: no Keras, Beam, LightGBM or TensorFlow Transform.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from ranker.data.artefacts import ArtefactError, read_manifest
from ranker.data.columns import Column
from ranker.data.requests import RankRequest, parse_request

__all__ = ["BLEND", "GOLDEN", "TOLERANCE", "Scorer", "close", "processor", "verify"]

BLEND = "blend"
GOLDEN = "golden.jsonl"
TOLERANCE = 1e-5


class Scorer:
    """A bundle loaded for scoring. Calls from several threads are safe.

    Attributes:
        manifest: of the bundle.
        columns: raw features, as requests carry them.
        models: names of the scores that `score_members` gives: the members and the blend.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.manifest = read_manifest(path, "bundle")
        self.columns = [Column(**column) for column in self.manifest["columns"]]
        self.models = [member["name"] for member in self.manifest["members"]] + [BLEND]
        self._signatures: Mapping[str, _Signature] = {}
        one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=one_thread)
        try:
            with self._session.graph.as_default():
                saved = tf.compat.v1.saved_model.load(self._session, ["serve"], str(path / "saved_model"))
        except (OSError, RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ArtefactError(f"{path}: the SavedModel does not load: {error}") from None
        self._signatures = {
            name: _Signature(self._session, definition)
            for name, definition in saved.signature_def.items()
            if not name.startswith("__")
        }

    def score(self, request: RankRequest) -> np.ndarray:
        """The canonical call.

        Returns:
            float32 `[list]`, the blend's score of each document in the order of the request.
        """
        return self.run("serving_default", request.tensors)["scores"][0]

    def score_members(self, request: RankRequest) -> dict[str, np.ndarray]:
        """Scores float32 `[list]` of each member and the blend."""
        outputs = self.run("members", request.tensors)
        return {name: outputs[name][0] for name in self.models}

    def inputs(self, signature: str) -> dict[str, tf.DType]:
        """Names and types of a signature's inputs; KeyError if there is no such signature."""
        return dict(self._signatures[signature].inputs)

    def run(self, signature: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature.

        Args:
            signature: its name.
            tensors: exactly its inputs.

        Raises:
            tf.errors.OpError: what the graph says of tensors that do not fit.
        """
        return self._signatures[signature](tensors)

    def verify(self) -> int:
        """Score the golden requests anew.

        On the processor model and TensorFlow build that made the bundle every float has to be the same, elsewhere
        within `TOLERANCE`.

        Returns:
            how many requests were scored.

        Raises:
            ArtefactError: if a score differs, or there is nothing to check.
        """
        made_here = self.manifest["processor"] == processor()
        made_here &= self.manifest["versions"]["tensorflow"] == tf.__version__
        golden = _golden(self._path / GOLDEN, self.columns)
        if not golden:
            file = self._path / GOLDEN
            raise ArtefactError(f"{file}: no golden requests; make the bundle anew with `ranker train`")
        for request, expected in golden:
            scored = self.score_members(request) | {"serving_default": self.score(request)}
            for name, scores in scored.items():
                wanted = np.array(expected[BLEND if name == "serving_default" else name], np.float32)
                if not (np.array_equal(scores, wanted) if made_here else close(scores, wanted)):
                    worst = int(np.argmax(np.abs(scores - wanted)))
                    raise ArtefactError(
                        f"{self._path}: golden request {request.query_id!r}, document {request.document_ids[worst]!r}, "
                        f"{name}: expected {wanted[worst]!r}, got {scores[worst]!r}; do not serve this bundle here"
                    )
        return len(golden)

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Signature:
    """A signature as a compiled callable: an eighth of the overhead of the public `make_callable` on small graphs."""

    def __init__(self, session: tf.compat.v1.Session, definition: Any) -> None:
        self.inputs = {name: tf.as_dtype(info.dtype) for name, info in definition.inputs.items()}
        self._outputs = list(definition.outputs)
        feed = [definition.inputs[name].name for name in self.inputs]
        fetch = [definition.outputs[name].name for name in self._outputs]
        # Private, so that a TensorFlow without it still works, slower.
        if hasattr(session, "_make_callable_from_options"):
            self._call = session._make_callable_from_options(config_pb2.CallableOptions(feed=feed, fetch=fetch))
        else:
            self._call = session.make_callable(fetch, feed)

    def __call__(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        results = self._call(*(tensors[name] for name in self.inputs))
        return dict(zip(self._outputs, results, strict=True))


def verify(path: Path) -> int:
    """`Scorer.verify` of the bundle at `path`."""
    with Scorer(path) as scorer:
        return scorer.verify()


def close(scores: np.ndarray, expected: np.ndarray) -> bool:
    """Whether all scores are within `TOLERANCE * max(1, |expected|)`."""
    return bool(np.all(np.abs(scores - expected) <= TOLERANCE * np.maximum(1, np.abs(expected))))


def processor() -> str:
    """Model name of this machine's processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    keys = ("model name", "cpu family", "model", "stepping")
    found = dict(line.partition(":")[::2] for line in reversed(lines) if ":" in line)
    described = {key.strip(): value.strip() for key, value in found.items()}
    return " ".join(described[key] for key in keys if key in described) or platform.machine()


def _golden(file: Path, columns: Sequence[Column]) -> list[tuple[RankRequest, dict[str, list[float]]]]:
    try:
        text = file.read_text(encoding="utf-8")
        # Not splitlines(), which also cuts at line separators inside texts.
        lines = [json.loads(line) for line in text.split("\n") if line]
        golden = [(parse_request(line["request"], columns), line["scores"]) for line in lines]
    except OSError as error:
        raise ArtefactError(f"{file}: {error.strerror}; make the bundle anew with `ranker train`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{file}: not golden requests ({error}); make it anew with `ranker train`") from None
    return golden
