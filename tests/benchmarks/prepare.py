"""The whole of `ranker prepare` at growing sizes, from LETOR files and from tables."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.letor import FEATURES, write_letor

__all__ = ["SOURCES", "prepare_at"]

_DOCUMENTS_PER_LIST = 100
_BLOCK = 50_000
_REST = """\
models: [{name: trees, kind: lambdamart}]
blend: {members: [trees]}
"""
_LETOR = f"""\
version: 1
data: {{sources: [{{kind: letor, train: train.txt, test: test.txt}}], split: {{valid: 0.1}}}}
{_REST}"""
_TABLES = f"""\
version: 1
data: {{sources: [{{kind: tables, queries: queries.csv, documents: documents.parquet, judgments: judgments.csv}}]}}
features: {{document: [{{name: numbers, kind: vector, width: {FEATURES}}}]}}
{_REST}"""


def _letor(place: Path, documents: int) -> None:
    """Half of the documents to train with, half to test."""
    for split in ("train", "test"):
        write_letor(place / f"{split}.txt", documents // 2)
    (place / "ranker.yaml").write_text(_LETOR)


def _tables(place: Path, documents: int) -> None:
    """As many judgments as documents, in an order in which neither queries nor documents are together."""
    rng = np.random.default_rng(0)
    numbers = pa.list_(pa.float32(), FEATURES)
    schema = pa.schema([("document_id", pa.string()), ("numbers", numbers)])
    with pq.ParquetWriter(place / "documents.parquet", schema) as writer:
        for first in range(0, documents, _BLOCK):
            size = min(_BLOCK, documents - first)
            flat = pa.array(rng.normal(size=size * FEATURES).astype(np.float32))
            ids = pa.array([f"d{first + at}" for at in range(size)])
            vectors = pa.FixedSizeListArray.from_arrays(flat, FEATURES)
            writer.write_batch(pa.RecordBatch.from_arrays([ids, vectors], schema=schema))
    queries = -(-documents // _DOCUMENTS_PER_LIST)
    (place / "queries.csv").write_text("query_id\n" + "".join(f"q{at}\n" for at in range(queries)))
    order, labels = rng.permutation(documents).tolist(), rng.integers(0, 5, documents).tolist()
    with (place / "judgments.csv").open("w") as file:
        file.write("query_id,document_id,label\n")
        file.writelines(f"q{at % queries},d{at},{label}\n" for at, label in zip(order, labels, strict=True))
    (place / "ranker.yaml").write_text(_TABLES)


SOURCES: dict[str, Callable[[Path, int], None]] = {"LETOR": _letor, "tables": _tables}


def prepare_at(folder: Path, source: str, documents: int) -> tuple[float, float]:
    """Documents a second, all steps and imports counted, and peak memory in MiB of `ranker prepare`.

    Args:
        folder: for the files, which are gone afterwards.
        source: one of `SOURCES`.
        documents: in all splits together, each with 136 numbers.
    """
    place = folder / f"{source}-{documents}"
    place.mkdir()
    SOURCES[source](place, documents)
    command = [sys.executable, "-m", "ranker", "prepare", str(place / "ranker.yaml"), "--out", str(place / "dataset")]
    script = (
        "import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command += ["--temp", str(place / "temporary")]
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    pages = 1 if sys.platform == "darwin" else 1024
    shutil.rmtree(place)
    return documents / seconds, int(done.stdout) * pages / 2**20
