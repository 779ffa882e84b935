"""On what devices a network is trained: `tf.distribute`, by name."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from ranker.errors import RankerError

__all__ = ["is_chief", "make_strategy"]


def make_strategy(name: str) -> tf.distribute.Strategy:
    """The strategy of this name; `multi_worker_mirrored` before anything else is computed in the process.

    Args:
        name: `one_device`; `mirrored`: all GPUs of this machine, or without any all its logical CPU devices;
            `multi_worker_mirrored`: the workers in the environment variable TF_CONFIG, as TensorFlow documents it;
            `tpu`: the TPU that the environment names.

    Raises:
        RankerError: if the devices are not there.
    """
    if name == "mirrored":
        kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
        return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
    if name == "multi_worker_mirrored":
        _check_workers()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu()
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the files and reports: the first worker, or the only one."""
    resolver = strategy.cluster_resolver
    return (
        resolver is None
        or resolver.task_type in (None, "", "chief")
        or (resolver.task_type == "worker" and resolver.task_id == 0 and "chief" not in resolver.cluster_spec().jobs)
    )


def _check_workers() -> None:
    given = os.environ.get("TF_CONFIG", "")
    try:
        content = json.loads(given)
        workers, task = content["cluster"]["worker"], content["task"]
        fits = isinstance(workers, list) and {"type", "index"} <= set(task)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        wanted = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        raise RankerError(
            f"training.strategy multi_worker_mirrored: expected the environment variable TF_CONFIG as {wanted},"
            f" got {given or 'none'!r}; set it for each worker, or use one_device"
        )


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise RankerError(f"training.strategy tpu: no TPU was found ({error}); use one_device or mirrored") from None
    return tf.distribute.TPUStrategy(resolver)
