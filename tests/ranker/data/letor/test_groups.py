"""Group files: list sizes of LETOR files that have no qid."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ranker.data.letor import text as letor_text
from ranker.data.letor.blocks import LetorBlock, LetorScan, Rejected, read_letor, scan_letor
from ranker.data.letor.groups import Groups
from ranker.data.letor.spans import Cuts
from ranker.errors import RankerError

DATA = os.environ.get("RANKER_DATA")


def write(folder: Path, text: str | bytes, name: str = "rank.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(
    path: Path, size: int = 1000, features: int | None = None, **options
) -> tuple[list[LetorBlock], list[Rejected]]:
    pairs = list(read_letor(path, features=features, documents_per_block=size, **options))
    return [block for block, _ in pairs if len(block.labels)], [one for _, rejected in pairs for one in rejected]


def lists(blocks: Sequence[LetorBlock]) -> list[tuple]:
    """(query id, then per document: id, label, line, features) of each list."""
    return [
        (
            block.query_ids[i].as_py(),
            [
                (block.document_ids[d].as_py(), float(block.labels[d]), int(block.lines[d]), block.features[d].tolist())
                for d in range(block.offsets[i], block.offsets[i + 1])
            ],
        )
        for block in blocks
        for i in range(len(block.query_ids))
    ]


UNGROUPED = "1 1:1\n\n0 1:2 # docid = b\nx\n1 1:4\n1 1:5\n"


@pytest.mark.parametrize(
    ("name", "beside"),
    [("r.txt", "r.txt.query"), ("r.txt", "r.txt.group"), ("r.txt.gz", "r.txt.query"), ("r.txt.gz", "r.txt.gz.group")],
)
def test_sizes_beside_the_file_count_rejected_lines(tmp_path, monkeypatch, name, beside):
    path = write(tmp_path, gzip.compress(UNGROUPED.encode()) if name.endswith("gz") else UNGROUPED, name)
    write(tmp_path, "0\r\n3\n0\n2\n0\n\n", beside)
    expected = [("1", [("0", 1, 1, [1]), ("b", 0, 3, [2])]), ("3", [("0", 1, 5, [4]), ("1", 1, 6, [5])])]
    for block in (1, 10, 1000):
        monkeypatch.setattr(letor_text, "_BLOCK", block)
        blocks, rejected = read(path)
        assert lists(blocks) == expected
        assert rejected == [Rejected(4, "unparsable line", "x")]
    assert scan_letor(path) == LetorScan(1, 1, True)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_byte_order_mark_is_not_part_of_the_sizes(tmp_path, mark):
    write(tmp_path, f"{mark}2\n3\n", "rank.txt.query")
    blocks, _ = read(write(tmp_path, mark + UNGROUPED))
    assert [len(documents) for _, documents in lists(blocks)] == [2, 2]


@pytest.mark.parametrize("block", [1, 10, 1000])
@pytest.mark.parametrize(("sizes", "count", "empty"), [("5", 1, 0), ("2\n3", 2, 0), ("0\n0\n2\n0\n1\n2\n0", 3, 4)])
def test_lists_are_counted_by_the_sizes_that_are_not_0(tmp_path, monkeypatch, block, sizes, count, empty):
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    path, group_file = write(tmp_path, UNGROUPED), write(tmp_path, sizes, "rank.txt.query")
    assert scan_letor(path, cuts=Cuts(1 << 20)).lists == count
    assert Groups(path, group_file).empty == empty


def test_a_group_file_can_be_named(tmp_path):
    sizes = write(tmp_path, "5", "sizes.txt")
    assert [len(documents) for _, documents in lists(read(write(tmp_path, UNGROUPED), group_file=sizes)[0])] == [4]


@pytest.mark.parametrize("block", [1, 1000])
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("3\n1\n", r"s\.txt:2: expected sizes that sum to the number of documents, got 4; .*rank\.txt:6 is document 5"),
        ("3\n3\n", r"s\.txt:2: expected sizes that sum to the number of documents, got 6; .*rank\.txt has 5 documents"),
        ("3\n2.0\n", r"s\.txt:2: expected the size of a list, an integer >= 0, got '2\.0'"),
        (f"{'9' * 30}\n", r"s\.txt:1: expected the size of a list, an integer >= 0, got '9+'"),
        ("-3\n8\n", r"s\.txt:1: expected the size of a list, an integer >= 0, got '-3'"),
        ("3\n\n2\n", r"s\.txt:2: expected the size of a list, an integer >= 0, got ''"),
        ("", r"s\.txt:1: expected the size of a list, an integer >= 0, got ''"),
    ],
)
def test_faults_of_group_files(tmp_path, monkeypatch, block, sizes, message):
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    path, group_file = write(tmp_path, UNGROUPED), write(tmp_path, sizes, "s.txt")
    with pytest.raises(RankerError, match=message):
        read(path, group_file=group_file)


def test_lists_come_from_qid_or_from_sizes_but_not_both(tmp_path):
    with pytest.raises(
        RankerError, match=r"rank\.txt: expected qid .* got neither; tried rank\.txt\.query, rank\.txt\.gr"
    ):
        read(write(tmp_path, UNGROUPED))
    with pytest.raises(RankerError, match=r"s\.txt: cannot read: "):
        read(write(tmp_path, UNGROUPED), group_file=tmp_path / "s.txt")
    sizes = write(tmp_path, "1", "sizes.txt")
    with pytest.raises(RankerError, match=r"rank\.txt: has both qid and the group file .*sizes\.txt"):
        read(write(tmp_path, "1 qid:1 1:1\n"), group_file=sizes)
