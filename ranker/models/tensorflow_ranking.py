"""The only place from which TensorFlow Ranking is imported.

TensorFlow Ranking 0.5.5, the last release, imports `tensorflow.estimator`, which TensorFlow dropped in 2.16, and reads
attributes of it while its classes are defined. A stub module whose every attribute is an empty class is enough for its
losses, metrics, layers and data functions; its estimator parts do not work.
"""

from __future__ import annotations

import sys
import types

import tensorflow as tf

__all__ = ["tfr"]


class _StubMeta(type):
    def __getattr__(cls, name: str) -> type:
        return _stub(name)


def _stub(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return _StubMeta(name, (), {})


def _install() -> None:
    estimator = types.ModuleType("tensorflow.estimator")
    estimator.__getattr__ = _stub  # type: ignore[method-assign]
    for name in ("tensorflow.estimator", "tensorflow.compat.v1.estimator"):
        sys.modules.setdefault(name, estimator)
    tf.estimator = tf.compat.v1.estimator = estimator


_install()

import tensorflow_ranking as tfr  # noqa: E402 - the stub has to be there first
