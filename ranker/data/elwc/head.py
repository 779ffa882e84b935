"""The first records of a file of ExampleListWithContext: which features there are, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.elwc.columns import kind_of
from ranker.data.elwc.parts import parts_of, split_record
from ranker.data.elwc.tf_records import read_records

__all__ = ["ElwcHead", "Seen", "read_elwc_head"]


@dataclass
class Seen:
    """What was seen of a feature.

    Attributes:
        kinds: of `float`, `int64` and `bytes`.
        least: the smallest number of values of an example that has any.
        most: the largest.
    """

    kinds: set[str] = field(default_factory=set)
    least: int = 0
    most: int = 0

    @property
    def is_scalar(self) -> bool:
        """Whether it is a number wherever it is."""
        return self.most == 1 and self.kinds <= {"float", "int64"}


@dataclass
class ElwcHead:
    """What was seen in the first records of one or more files.

    Attributes:
        context: features of contexts by name, none without values.
        document: the same of examples.
        lists: how many records could be parsed.
        documents: how many examples they have.
        unparsable: numbers of the records that could not.
        whole: whether there are no more records.
    """

    context: dict[str, Seen] = field(default_factory=dict)
    document: dict[str, Seen] = field(default_factory=dict)
    lists: int = 0
    documents: int = 0
    unparsable: list[int] = field(default_factory=list)
    whole: bool = True

    def add(self, contexts: Sequence[bytes], examples: Sequence[bytes]) -> None:
        """Look into so many lists with their documents."""
        _look(contexts, self.context)
        _look(examples, self.document)
        self.lists += len(contexts)
        self.documents += len(examples)


def read_elwc_head(path: Path, documents: int, head: ElwcHead | None = None) -> ElwcHead:
    """Look into the first records of a file, to the list with which there are so many documents.

    Args:
        path: the file.
        documents: how many are enough.
        head: to add to.

    Raises:
        DataError: for a file that is none of TFRecords, as far as it is read.
    """
    head = ElwcHead() if head is None else head
    contexts, examples = list[bytes](), list[bytes]()
    for number, record in read_records(path):
        if len(examples) >= documents:
            head.whole = False
            break
        try:
            of_list, context = split_record(record)
        except ValueError:
            head.unparsable.append(number)
            continue
        contexts.append(context)
        examples += of_list
    head.add(contexts, examples)
    return head


def _look(examples: Sequence[bytes], seen: dict[str, Seen]) -> None:
    for _, batch in parts_of(examples):
        for name, lists in _columns(batch):
            lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
            if lengths.any():
                least, most = int(lengths[lengths > 0].min()), int(lengths.max())
                of_feature = seen.setdefault(name, Seen(least=least))
                of_feature.kinds.add(kind_of(lists))
                of_feature.least = min(of_feature.least, least)
                of_feature.most = max(of_feature.most, most)


def _columns(batch: pa.RecordBatch | None) -> Iterable[tuple[str, pa.Array]]:
    if batch is None:
        return
    for name, lists in zip(batch.schema.names, batch.columns, strict=True):
        if kind_of(lists):
            yield name, lists
