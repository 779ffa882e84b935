"""The texts of the documents in ExampleListWithContext files, each document once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from ranker.data.elwc.connector import ElwcShard, read_elwc_lists
from ranker.data.files import size_of
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill
from ranker.data.tables.id_groups import coded
from ranker.spec import Spec

__all__ = ["read_elwc_texts"]

_PARTITION = 64 << 20  # bytes of files
_MOST_PARTITIONS = 256  # each an open file
_BATCH = 4096  # rows


def read_elwc_texts(
    spec: Spec, shards: Sequence[ElwcShard], names: list[str], temporary: Path
) -> Iterator[pa.RecordBatch]:
    """`document_id` and text columns of the documents of the training lists, each distinct document once.

    Documents without an id are all distinct, and get one here.

    Args:
        spec: as `open_elwc` gave it.
        shards: the same.
        names: of features that are texts.
        temporary: where to spill.
    """
    schema = pa.schema([(name, pa.string()) for name in ("document_id", *names)])
    total = sum(size_of(shard.path) for shard in shards)
    with tempfile.TemporaryDirectory(prefix="texts-", dir=temporary) as directory:
        spill = Spill(Path(directory) / "texts", schema, min(1 + total // _PARTITION, _MOST_PARTITIONS))
        for number, shard in enumerate(shards):
            for lists, codes in read_elwc_lists(spec, shard, names):
                rows = lists.texts(codes == 0, names, prefix=f"{number}\0")
                spill.write(rows, partition_of(hash_ids(rows["document_id"]), spill.partitions))
        spill.close()
        for partition in range(spill.partitions):
            rows = spill.read_whole(partition)
            _, first, _ = coded(rows["document_id"])
            rows = rows.take(pa.array(np.sort(first)))
            for start in range(0, rows.num_rows, _BATCH):
                yield rows.slice(start, _BATCH)
