"""LETOR files in parts and in several files: the same lists, the same rejected rows, as one file read through."""

from __future__ import annotations

import gzip
import pickle
import random
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
import yaml

from ranker.data.data_error import DataError
from ranker.data.letor import connector as letor_lists
from ranker.data.letor import text as letor_text
from ranker.data.letor.connector import LetorShard, open_letor, read_letor_shard
from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import open_source, source_files
from ranker.data.spill import read_stream
from ranker.data.split import splits_of
from ranker.errors import RankerError
from ranker.spec import Spec, load_spec


@pytest.fixture
def letor(tmp_path):
    """`letor({file: text}, **of_source)` is a spec beside files."""

    def spec(files: dict[str, str | bytes], **source: str) -> Spec:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        content = {
            "version": 1,
            "data": {"sources": [{"kind": "letor", "train": "train.txt", "test": "test.txt"} | source]},
            "models": [{"name": "trees", "kind": "lambdamart"}],
            "blend": {"members": ["trees"]},
        }
        (tmp_path / "ranker.yaml").write_text(yaml.safe_dump(content))
        return load_spec(tmp_path / "ranker.yaml")

    return spec


def read(spec: Spec, folder: Path, lists_per_batch: int = 7):
    """The shards; the lists of all of them by split, each with it; what was set aside, and how much of each split."""
    folder.mkdir()
    with RejectedRows(folder / "rejected.jsonl") as rejected:
        shards, _ = open_letor(spec, folder, rejected)
        found = []
        for shard in pickle.loads(pickle.dumps(shards)):
            for split, lists in read_letor_shard(shard, "features", lists_per_batch, rejected):
                assert 0 < lists.num_rows <= lists_per_batch
                found += [(split, *row.values()) for row in lists.to_pylist()]
    found.sort(key=itemgetter(0))  # the order within each split is what has to be the same
    return shards, found, list(rejected), rejected.by_split


def text(seed: int, queries: int, *, qid: bool = True, first: int = 0) -> tuple[str, list[int]]:
    """Lines of all sorts, good and bad; and the sizes of the lists, with the bad lines in them."""
    draw, lines, sizes = random.Random(seed), [], []
    for query in range(first, first + queries):
        size = draw.randint(1, 9)
        sizes.append(size)
        for document in range(size):
            if draw.random() < 0.2:
                lines.append(draw.choice(["", "# a comment", "   "]))
            query_part = f" qid:{query}" if qid else ""
            comment = f" # docid = d{document}" if draw.random() < 0.5 else ""
            value = draw.choice(["1", "0.25", "1e-3", "-7"])
            good = f"{draw.randint(0, 3)}{query_part} 1:{value} 2:{query}{comment}"
            lines.append(draw.choice([good] * 9 + [f"x{query_part} 1:1", f"1{query_part} 1:nan"]))
    return draw.choice(["\n", "\r\n"]).join(lines), sizes


TEST = "1 qid:900001 1:1 2:1\n0 qid:900001 1:2 2:1\n"


# --- parts of a file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("part", "block"), [(1, 50), (40, 10_000), (300, 64), (1000, 333), (100_000, 64)])
def test_a_file_in_parts_is_the_same_as_whole(letor, tmp_path, monkeypatch, seed, part, block):
    content, _ = text(seed, 60)
    spec = letor({"train.txt": content, "test.txt": TEST})
    _, expected, told, of_splits = read(spec, tmp_path / "whole")
    assert told
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", part)
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    shards, found, *rest = read(spec, tmp_path / "parts")
    assert found == expected
    assert rest == [told, of_splits]
    spans = [shard.span for shard in shards if shard.path.name == "train.txt"]
    assert spans[0].start == 0
    assert spans[-1].stop is None
    assert all(one.stop == other.start for one, other in pairwise(spans))
    longest = max(len(line) + 2 for line in content.split("\n")) * 14
    sizes = [span.stop - span.start for span in spans[:-1]]
    assert all(part <= size < part + longest for size in sizes)
    assert (len(spans) == 1) == (len(content) <= part) or part > len(content) - longest
    if part == 1:
        lists = sum(row[0] != "test" for row in expected)
        assert lists <= len(spans) < lists + 5, "a part for each list, and for some that have only bad lines"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("part", [1, 200, 100_000])
def test_a_file_with_list_sizes_in_parts_is_the_same_as_whole(letor, tmp_path, monkeypatch, seed, part):
    content, sizes = text(seed, 40, qid=False)
    with_empty = [size for one in sizes for size in (0, one)]
    groups = "\n".join(map(str, with_empty)) + "\n"
    spec = letor({"train.txt": content, "train.txt.query": groups, "test.txt": TEST})
    _, expected, told, of_splits = read(spec, tmp_path / "whole")
    assert told
    assert {row[1] for row in expected if row[0] == "train"} < {f"train-{2 * number + 1}" for number in range(40)}
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", part)
    monkeypatch.setattr(letor_text, "_BLOCK", 70)
    shards, found, *rest = read(spec, tmp_path / "parts")
    assert found == expected
    assert rest == [told, of_splits]
    parts = sum(shard.path.name == "train.txt" for shard in shards)
    low, high = {1: (40, 41), 200: (5, 30), 100_000: (1, 1)}[part]  # maybe one of comments, before the first list
    assert low <= parts <= high


def test_group_sizes_that_do_not_fit_are_told_with_parts_too(letor, tmp_path, monkeypatch):
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 1)
    for number, (sizes, message) in enumerate([("1\n1\n", r"is document 3"), ("1\n1\n2\n", r"has 3 documents")]):
        spec = letor({"train.txt": "1 1:1 2:1\n" * 3, "train.txt.query": sizes, "test.txt": TEST})
        with pytest.raises(RankerError, match=message):
            read(spec, tmp_path / str(number))


def test_text_that_is_not_utf8_does_not_shift_the_parts(letor, tmp_path, monkeypatch):
    lines = [b"1 qid:%d 1:1 2:2 # docid = \xff\xfe%d" % (query, query) for query in range(50)]
    spec = letor({"train.txt": b"\n".join(lines), "test.txt": TEST})
    _, expected, *_ = read(spec, tmp_path / "whole")
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 100)
    shards, found, *_ = read(spec, tmp_path / "parts")
    assert len(shards) > 10
    assert found == expected


def test_a_packed_file_is_one_part(letor, tmp_path, monkeypatch):
    content, _ = text(1, 30)
    spec = letor({"train.txt.gz": gzip.compress(content.encode()), "train.txt": content, "test.txt": TEST})
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 100)
    _, expected, *_ = read(spec, tmp_path / "plain")
    shards, found, *_ = read(
        load_spec(tmp_path / "ranker.yaml", ["data.sources.0.train=train.txt.gz"]), tmp_path / "gz"
    )
    assert found == expected
    assert len(shards) == 2


# --- several files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [200, 1 << 20])
def test_files_by_a_pattern_are_those_of_one_file_one_by_one(letor, tmp_path, monkeypatch, part):
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", part)
    texts = [text(seed, 20, first=100 * seed)[0] for seed in range(3)]
    files = {f"part-{number}.txt": content for number, content in enumerate(texts)}
    shards, found, told, _ = read(letor(files | {"test.txt": TEST}, train="part-?.txt"), tmp_path / "several")
    expected, of_one = [], []
    for name in files:
        _, lists, rows, _ = read(letor({"test.txt": TEST}, train=name), tmp_path / f"only-{name}")
        expected += [row for row in lists if row[0] != "test"]
        of_one += rows
    assert [row for row in found if row[0] != "test"] == sorted(expected, key=itemgetter(0))
    assert told == of_one
    assert [shard.path.name for shard in shards if shard.span.start == 0] == [*files, "test.txt"]


def test_files_of_one_name_are_told_apart(letor, tmp_path):
    spec = letor({"a/x.txt": "x\n1 qid:1 1:1", "b/x.txt": "1 qid:2 1:2\nx", "test.txt": TEST}, train="?/x.txt")
    _, _, told, of_splits = read(spec, tmp_path / "run")
    assert [(row.file, row.line) for row in told] == [("a/x.txt", 1), ("b/x.txt", 2)]
    assert of_splits == {"train": {"unparsable line": 2}}


def test_lists_that_have_only_numbers_have_other_names_in_each_file(letor, tmp_path):
    files = {"part-1.txt": "1 1:1\n0 1:2\n", "part-2.txt": "1 1:3\n0 1:4\n", "test.txt": "1 1:5\n0 1:6\n"}
    groups = {f"{name}.query": "1\n1\n" for name in files}
    spec = letor(files | groups, train="part-?.txt")
    _, found, *_ = read(spec, tmp_path / "run")
    assert sorted(row[1] for row in found) == ["test-0", "test-1", "train-0-0", "train-0-1", "train-1-0", "train-1-1"]
    assert {split: [path.name for path in paths] for split, paths in source_files(spec).items()} == {
        "train": ["part-1.txt", "part-2.txt", "part-1.txt.query", "part-2.txt.query"],
        "test": ["test.txt", "test.txt.query"],
    }


@pytest.mark.parametrize("part", [1, 1 << 20])
def test_a_query_in_two_files_is_one_list(letor, tmp_path, monkeypatch, part):
    """Whether its lines follow one another, from file to file, or not."""
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", part)
    one = "1 qid:a 1:1\n2 qid:b 1:2\n3 qid:b 1:3 # docid = B\n"
    two = "0 qid:b 1:4\n1 qid:c 1:5\n1 qid:b 1:6 # docid = B\n1 qid:b 1:7\n"
    spec = letor({"part-1": one, "part-2": two, "test.txt": TEST}, train="part-?")
    shards, found, told, _ = read(spec, tmp_path / "run")
    lists = {row[1]: list(zip(*row[2:], strict=True)) for row in found if row[0] != "test"}
    assert lists == {
        "a": [("0:1", 1.0, [1.0, 0.0])],
        "b": [("0:2", 2.0, [2.0, 0.0]), ("B", 3.0, [3.0, 0.0]), ("1:1", 0.0, [4.0, 0.0]), ("1:4", 1.0, [7.0, 0.0])],
        "c": [("1:2", 1.0, [5.0, 0.0])],
    }
    assert [(row.file, row.line, row.reason) for row in told] == [("part-2", 3, "duplicate (query, document) pair")]
    assert all(shard.regrouped for shard in shards if shard.number < 2)


@pytest.mark.parametrize("most", [256, 1])
def test_partitions_and_batches_of_sparse_files_are_bounded(letor, tmp_path, monkeypatch, most):
    """By what the features take in memory, which with few of them in each line is far more than their text."""
    bound = 40_000
    monkeypatch.setattr(letor_lists, "_BLOCK_BYTES", bound)
    monkeypatch.setattr(letor_lists, "_MOST_PARTITIONS", most)
    apart = (
        "".join(f"{d} qid:{q} {1 + (7 * d + q) % 500}:1\n" for d in range(3) for q in range(400)) + "0 qid:0 500:1\n"
    )
    spec = letor({"train.txt": apart, "test.txt": "1 qid:t 1:1\n"})
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        shards, scan = open_letor(spec, tmp_path / "run", rejected)
        regrouped = [shard for shard in shards if shard.regrouped]
        sizes = [sum(rows.num_rows for rows in read_stream(Path(shard.regrouped))) * 500 * 4 for shard in regrouped]
        batches = [lists for shard in regrouped for _, lists in read_letor_shard(shard, "f", 10**6, rejected)]
    assert sum(sizes) == 1201 * 500 * 4
    if most == 1:
        assert len(sizes) == 1
    else:
        assert len(sizes) > 50
        assert max(sizes) < 3 * bound
    assert sum(lists.num_rows for lists in batches) == 400
    assert max(len(lists["f"].flatten()) for lists in batches) * 500 * 4 <= bound
    assert scan.documents == 1202


def test_queries_that_are_regrouped_are_told_and_counted_once(letor, tmp_path):
    train = "".join(f"1 qid:{q} 1:{n}\n" for n, q in enumerate("aabcadcaeb"))  # a, b and c come back
    files = {"part-1": train, "part-2": "1 qid:e 1:1\n1 qid:f 1:1\n", "test.txt": TEST}
    for number, (pattern, regrouped, lists) in enumerate([("part-1", 3, 6), ("part-?", 4, 7), ("part-2", 0, 3)]):
        spec = letor(files, train=pattern)
        (tmp_path / str(number)).mkdir()
        with RejectedRows(tmp_path / str(number) / "rejected.jsonl") as rejected:
            source = open_source(spec, tmp_path / str(number), rejected, lambda rows: None)
            found = [part.lists.num_rows for shard in source.shards for part in source.read(shard, 9, rejected)]
        told = {"query whose documents were not together, regrouped": regrouped} if regrouped else {}
        assert dict(rejected.unused) == told
        assert (source.lists, sum(found)) == (lists, lists)


@pytest.mark.parametrize("packed", [False, True])
def test_lists_without_documents_are_told(letor, tmp_path, packed):
    train = b"1 1:1\n0 1:2\n1 1:3\n"
    files = {"train.txt": train, "train.gz": gzip.compress(train), "test.txt": "1 1:5\n0 1:6\n"}
    groups = dict.fromkeys(["train.txt.query", "train.gz.query"], "0\n1\n0\n2\n") | {"test.txt.query": "2\n0\n"}
    spec = letor(files | groups, train="train.gz" if packed else "train.txt")
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        source = open_source(spec, tmp_path, rejected, lambda rows: None)
    assert dict(rejected.unused) == {"list without documents": 3}
    assert source.lists == (None if packed else 3)


def test_a_corrupt_feature_index_takes_down_its_line_alone(letor, tmp_path):
    files = {"train.txt": "1 qid:1 1:1\n1 qid:1 2000000000:1\n", "test.txt": TEST}
    _, found, told, of_splits = read(letor(files), tmp_path / "run")
    assert [(row.line, row.reason) for row in told] == [(2, "feature index out of range")]
    assert len(found) == 2
    assert of_splits == {"train": {"feature index out of range": 1}}


@pytest.mark.parametrize("block", [50, 10_000])
def test_a_byte_order_mark_does_not_shift_the_parts(letor, tmp_path, monkeypatch, block):
    content, _ = text(2, 40)
    _, expected, told, _ = read(letor({"train.txt": content, "test.txt": TEST}), tmp_path / "plain")
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 100)
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    marked = {"train.txt": b"\xef\xbb\xbf" + content.encode(), "test.txt": TEST}
    shards, found, rows, _ = read(letor(marked), tmp_path / "marked")
    assert len(shards) > 10
    assert (found, [row.line for row in rows]) == (expected, [row.line for row in told])


def test_partitions_of_regrouped_files_are_shards(letor, tmp_path, monkeypatch):
    monkeypatch.setattr(letor_lists, "_BLOCK_BYTES", 200)
    apart = "".join(f"{d} qid:{q} 1:{d} 2:{q} # docid = {d}\n" for d in range(3) for q in range(100))
    shards, found, *_ = read(letor({"train.txt": apart, "test.txt": TEST}), tmp_path / "run")
    assert len([shard for shard in shards if shard.regrouped]) > 5
    lists = {row[1]: row[3] for row in found if row[0] != "test"}
    assert lists == {str(q): [0.0, 1.0, 2.0] for q in range(100)}


def test_a_file_of_two_splits_is_refused(letor, tmp_path):
    with pytest.raises(DataError, match=r"train.txt: is a file of the train split and of the test split"):
        read(letor({"train.txt": TEST}, test="*.txt"), tmp_path / "run")


def test_a_pattern_that_matches_nothing_is_refused(letor, tmp_path):
    with pytest.raises(DataError, match=r"nothing-\*: no file matches"):
        read(letor({"test.txt": TEST}, train="nothing-*"), tmp_path / "run")


# --- splits and progress ----------------------------------------------------------------------------------------------


def test_a_share_of_the_training_lists_is_for_validation(letor, tmp_path, monkeypatch):
    monkeypatch.setattr(letor_lists, "_SPAN_BYTES", 500)
    spec = letor({"train.txt": "".join(f"1 qid:{q} 1:1\n" for q in range(300)), "test.txt": TEST})
    _, found, *_ = read(spec, tmp_path / "run")
    expected = splits_of([str(q) for q in range(300)], spec.data.split.model_copy(update={"test": 0.0}))
    assert {row[1]: row[0] for row in found if row[0] != "test"} == {str(q): expected[q] for q in range(300)}
    assert 10 < (expected == "valid").sum() < 60


def test_a_file_of_another_split_is_not_read(letor, tmp_path):
    spec = letor({"train.txt": "1 qid:1 1:1\n", "valid.txt": "1 qid:2 1:1\n", "test.txt": TEST}, valid="valid.txt")
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        shards, _ = open_letor(spec, tmp_path, rejected)
    (tmp_path / "test.txt").unlink()
    assert [list(read_letor_shard(shards[2], "f", 9, None, splits)) for splits in (["train", "valid"], [])] == [[], []]
    [(split, _)] = read_letor_shard(shards[0], "f", 9, None, ["train"])
    assert split == "train"


def test_progress_tells_the_documents_of_all_files(letor, tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 60)
    told: list[int] = []
    spec = letor({"train.txt": "1 qid:1 1:1\n" * 20 + "x\n\n", "test.txt": TEST})
    with RejectedRows(tmp_path / "rejected.jsonl") as rejected:
        open_source(spec, tmp_path, rejected, told.append)
        assert open_source(spec, tmp_path, rejected, lambda rows: None).lists == 2
    assert told == sorted(told)
    assert told[-1] == 23
    assert len(told) > 4


def test_a_shard_is_small_to_send(letor, tmp_path):
    shards, *_ = read(letor({"train.txt": TEST.replace("900001", "1"), "test.txt": TEST}), tmp_path / "run")
    assert all(isinstance(shard, LetorShard) and len(pickle.dumps(shard)) < 2000 for shard in shards)
    assert np.array_equal([shard.number for shard in shards], [0, 1])
