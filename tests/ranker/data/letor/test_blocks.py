import gzip
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_svmlight_file

from ranker.data.data_error import DataError
from ranker.data.letor import text as letor_text
from ranker.data.letor.blocks import LetorBlock, LetorScan, Rejected, SeenQueries, read_letor, scan_letor
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


def stacked(blocks: Sequence[LetorBlock], name: str) -> np.ndarray:
    return np.concatenate([getattr(block, name) for block in blocks])


def bits(values: np.ndarray) -> np.ndarray:
    assert values.dtype == np.float32
    return np.ascontiguousarray(values).view(np.uint32)


# --- what a file says -----------------------------------------------------------------------------------------------


def test_block_holds_lists_ids_labels_features_and_lines(tmp_path):
    path = write(
        tmp_path,
        "# a comment\n2 qid:7 1:0.5 3:2e-4 # docid = GX001 inc = 1\n0 qid:7 2:1 #note\n\n"
        "1 qid:9 3:-1 # 000 DOCID=b#c\n",
    )
    (block,), rejected = read(path)
    assert block.query_ids.to_pylist() == ["7", "9"]
    assert block.offsets.tolist() == [0, 2, 3]
    assert block.offsets.dtype == np.int64
    assert block.labels.tolist() == [2, 0, 1]
    assert block.labels.dtype == np.float32
    assert block.document_ids.to_pylist() == ["GX001", "1", "b#c"]
    assert bits(block.features).tolist() == bits(np.array([[0.5, 0, 2e-4], [0, 1, 0], [0, 0, -1]], np.float32)).tolist()
    assert block.lines.tolist() == [2, 3, 5]
    assert block.lines.dtype == np.int64
    assert (block.base, rejected) == (1, [])


@pytest.mark.parametrize(
    ("first", "scan"),
    [("1:5 4:6", LetorScan(1, 4, True)), ("0:5 4:6", LetorScan(0, 4, True)), ("", LetorScan(1, 0, True))],
)
def test_scan_finds_base_and_number_of_features(tmp_path, first, scan):
    path = write(tmp_path, f"1 qid:1 {first}\n2 qid:1\n")
    assert scan_letor(path) == scan
    assert scan.features == scan.last + 1 - scan.base
    (block,), _ = read(path)
    assert (block.base, block.features.shape) == (scan.base, (2, scan.features))
    assert [index.split(":") for index in first.split()] == [
        [str(column + block.base), f"{value:.0f}"] for column, value in enumerate(block.features[0]) if value
    ]


def test_scan_ignores_rejected_lines_and_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 16)
    path = write(tmp_path, "1 qid:1 2:1 3:1\n1 qid:1 0:inf 9:1\n1 qid:1 5:1\n")
    assert scan_letor(path) == LetorScan(1, 5, True)
    assert scan_letor(path, limit_bytes=1) == LetorScan(1, 3, True)


def test_scans_of_the_files_of_a_dataset_unite():
    assert LetorScan(1, 4, True).union(LetorScan(0, 3, False)) == LetorScan(0, 4, False)


@pytest.mark.parametrize("index", [1_000_000, 2_000_000_000, 2**32 + 1])
def test_an_index_of_a_million_or_more_makes_no_feature(tmp_path, index):
    path = write(tmp_path, f"1 qid:1 1:1 3:1\n1 qid:1 2:1 {index}:1 # docid = far\n1 qid:1 2:1\n")
    assert scan_letor(path) == LetorScan(1, 3, True)
    (block,), rejected = read(path)
    assert block.features.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert rejected == [Rejected(2, "feature index out of range", f"1 qid:1 2:1 {index}:1 # docid = far")]


@pytest.mark.parametrize("block", [1, 1000])
def test_more_features_than_a_document_can_have_are_refused_with_their_line(tmp_path, monkeypatch, block):
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    assert scan_letor(write(tmp_path, "1 qid:1 1:1 100000:1\n")).features == 100_000
    path = write(tmp_path, "1 qid:1 2:1\n\n1 qid:1\n1 qid:1 1:1 100001:1\n1 qid:1 1:1 2:5 999999:1\n1 qid:1 200000:1\n")
    for act in (scan_letor, read):
        with pytest.raises(
            DataError,
            match=r"rank\.txt:5: expected at most 100,000 features, got the feature index 999999",
        ):
            act(path)


@pytest.mark.parametrize("separator", [" ", "\t", "  ", " \t", "\v", "\f"])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n", "\t\r\n", "# comment: 5:5 qid:4\r\n"])
def test_white_space_and_line_ends(tmp_path, separator, end):
    tokens = [["1", "qid:7", "1:2", "2:3"], ["0", "qid:7"], ["3", "qid:8", "2:4"]]
    path = write(tmp_path, end.join(separator.join(line) for line in tokens) + end)
    expected = [("7", [("0", 1, 1, [2, 3]), ("1", 0, 2, [0, 0])]), ("8", [("0", 3, 3, [0, 4])])]
    assert lists(read(path)[0]) == expected
    path.write_bytes(path.read_bytes().rstrip())
    assert lists(read(path)[0]) == expected


NUMBERS = ["1", "+1", "-1", "1e-3", ".5", "5.", "-.5e+2", "+.5E1", "0.1", "16777217", "1e-46", "1e-320", "1e-400", "-0"]
NUMBERS += [
    "3.4028235677973362e38",
    "0.30000001192092896",
    "9" * 30,
    "0." + "0" * 50 + "1",
    "7.038531e-26",
    "0" * 400 + "1",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_the_nearest_float64_cast_to_float32(tmp_path, number):
    (block,), rejected = read(write(tmp_path, f"0 qid:1 1:{number}\n"))
    assert not rejected
    assert bits(block.features).item() == bits(np.float64(number).astype(np.float32).reshape(1)).item()
    if not number.startswith("-") or float(number) == 0:
        assert read(write(tmp_path, f"{number} qid:1\n"))[0][0].labels[0] == block.features[0, 0]


def test_text_that_is_not_utf8_is_kept_out_of_the_numbers(tmp_path):
    path = write(tmp_path, b"1 qid:\xc3\xa9 1:2 # docid = caf\xe9\n1 qid:2 1:\xff\n1 qid:3 1:4 # \xff\n")
    blocks, rejected = read(path)
    assert lists(blocks) == [("é", [("caf\ufffd", 1, 1, [2])]), ("3", [("0", 1, 3, [4])])]
    assert rejected == [Rejected(2, "unparsable line", "1 qid:2 1:\ufffd")]


# --- against scikit-learn -------------------------------------------------------------------------------------------


@pytest.mark.skipif(DATA is None, reason="RANKER_DATA is not set")
@pytest.mark.parametrize("name", ["rank.train", "rank.test"])
def test_real_data_equals_scikit_learn(name):
    path = Path(DATA) / "lambdarank" / f"{name}.gz"
    blocks, rejected = read(path, size=500, features=300, base=1)
    expected, labels = load_svmlight_file(str(path), n_features=300, dtype=np.float32, zero_based=False)
    assert not rejected
    assert (stacked(blocks, "features") == expected.toarray()).all()
    assert stacked(blocks, "labels").tolist() == labels.tolist()
    sizes = np.concatenate([np.diff(block.offsets) for block in blocks])
    assert sizes.tolist() == np.loadtxt(path.with_suffix(".query")).tolist()
    assert [query for block in blocks for query in block.query_ids.to_pylist()] == [str(i) for i in range(len(sizes))]


def generated(seed: int, documents: int, features: int, density: float) -> str:
    random = np.random.default_rng(seed)
    forms = ["%.6f", "%g", "%.17g", "%e", "%.0f"]

    def line(document: int) -> str:
        used = np.flatnonzero(random.random(features) < density)
        values = random.normal(size=len(used)) * 10.0 ** random.integers(-30, 30, len(used))
        pairs = [f"{i + 1}:{forms[random.integers(len(forms))] % v}" for i, v in zip(used, values, strict=True)]
        return " ".join([str(random.integers(5)), f"qid:{document // 7}", *pairs])

    return "\n".join(map(line, range(documents)))


@pytest.mark.parametrize(("features", "density"), [(30, 1.0), (200, 0.1)])
def test_generated_data_equals_scikit_learn(tmp_path, monkeypatch, features, density):
    monkeypatch.setattr(letor_text, "_BLOCK", 10_000)
    path = write(tmp_path, generated(1, 500, features, density))
    blocks, rejected = read(path, size=100, features=features)
    expected, labels, queries = load_svmlight_file(
        str(path), n_features=features, dtype=np.float32, query_id=True, zero_based=False
    )
    assert not rejected
    assert len(blocks) == math.ceil(500 / 98)
    assert (stacked(blocks, "features") == expected.toarray()).all()
    assert stacked(blocks, "labels").tolist() == labels.tolist()
    ids = [np.repeat([int(query) for query in block.query_ids.to_pylist()], np.diff(block.offsets)) for block in blocks]
    assert np.concatenate(ids).tolist() == queries.tolist()
    assert stacked(blocks, "lines").tolist() == list(range(1, 501))


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOCUMENTS = st.tuples(st.floats(0, 1e9, width=32), st.dictionaries(st.integers(1, 9), FLOATS))


@given(st.lists(st.lists(DOCUMENTS, min_size=1)), st.integers(1, 20), st.integers(1, 50))
@settings(deadline=None)
def test_what_is_written_is_read(tmp_path_factory, groups, size, block):
    features = lambda pairs: "".join(f" {index}:{value!r}" for index, value in pairs.items())  # noqa: E731 - any order
    text = "".join(f"{label!r} qid:q{i}{features(pairs)}\n" for i, group in enumerate(groups) for label, pairs in group)
    path = write(tmp_path_factory.mktemp("letor"), text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letor_text, "_BLOCK", block)
        blocks, rejected = read(path, size, features=9, base=1)
    assert not rejected
    found = lists(blocks)
    assert [query for query, _ in found] == [f"q{i}" for i in range(len(groups))]
    for group, (_, documents) in zip(groups, found, strict=True):
        assert [label for label, _ in group] == [label for _, label, _, _ in documents]
        assert [[pairs.get(i, 0.0) for i in range(1, 10)] for _, pairs in group] == [values for *_, values in documents]


# --- what is rejected -----------------------------------------------------------------------------------------------

FAULTS = [
    ("x qid:1 1:1", "unparsable line"),
    ("hello", "unparsable line"),
    ("1 qid: 1:1", "unparsable line"),
    ("1 qid:1:1", "unparsable line"),
    ("1 qid:1 1: 2:1", "unparsable line"),
    ("1 qid:1 :1", "unparsable line"),
    ("1 qid:1 : 1:1", "unparsable line"),
    ("1 qid:1 1:1 qid:2", "unparsable line"),
    ("1 qid:1 1:1:1", "unparsable line"),
    ("1 qid:1 1:1,5", "unparsable line"),
    ("1 qid:1 1:1_0", "unparsable line"),
    ("1 qid:1 1:0x1p3", "unparsable line"),
    ("1 qid:1 0x1:1", "unparsable line"),
    ("1 qid:1 -1:1", "unparsable line"),
    ("1 qid:1 1.0:1", "unparsable line"),
    ("1:1 qid:1", "unparsable line"),
    ("1", "no qid"),
    ("1 1:1", "no qid"),
    ("1 1:1 2:1", "no qid"),
    ("nan qid:1 1:1", "NaN label"),
    ("inf qid:1 1:1", "infinite label"),
    ("1e39 qid:1 1:1", "infinite label"),
    ("-1 qid:1 1:1", "negative label"),
    ("-inf qid:1 1:1", "negative label"),
    ("-1e-99 qid:1 1:1", "negative label"),
    ("1 qid:1 0:1", "feature index out of range"),
    ("1 qid:1 4:1", "feature index out of range"),
    ("1 qid:1 4294967297:1", "feature index out of range"),
    (f"1 qid:1 {'9' * 9999}:1", "feature index out of range"),
    ("1 qid:1 2:1 2:1", "repeated feature index"),
    ("1 qid:1 2:1 1:1 2:1", "repeated feature index"),
    ("1 qid:1 2:nan", "NaN feature"),
    ("1 qid:1 2:-NaN", "NaN feature"),
    ("1 qid:1 2:inf", "infinite feature"),
    ("1 qid:1 2:-Infinity", "infinite feature"),
    ("1 qid:1 2:1e39", "infinite feature"),
    ("1 qid:1 2:-1e400", "infinite feature"),
    ("1 qid:1 2:3.4028235677973366e38", "infinite feature"),
]


@pytest.mark.parametrize(("line", "reason"), FAULTS)
def test_a_line_that_is_not_valid_is_set_aside_alone(tmp_path, line, reason):
    path = write(tmp_path, f"1 qid:1 1:1\n\n# comment\n{line} # docid = x\r\n2 qid:1 3:3 2:2\n")
    blocks, rejected = read(path, features=3, base=1)
    assert lists(blocks) == [("1", [("0", 1, 1, [1, 0, 0]), ("1", 2, 5, [0, 2, 3])])]
    assert rejected == [Rejected(4, reason, f"{line} # docid = x"[:1000])]


def test_qid_in_a_file_that_has_none_is_rejected(tmp_path):
    write(tmp_path, "3\n", "rank.txt.query")
    blocks, rejected = read(write(tmp_path, "1 1:1\n1 qid:1 1:1\n1 1:2\n"))
    assert lists(blocks) == [("0", [("0", 1, 1, [1]), ("1", 1, 3, [2])])]
    assert rejected == [Rejected(2, "unexpected qid", "1 qid:1 1:1")]


def test_nan_is_kept_where_it_means_missing(tmp_path):
    blocks, rejected = read(
        write(tmp_path, "1 qid:1 1:nan 2:NaN\n1 qid:1 1:+nan 3:-nan\nnan qid:1 1:1\n"), missing_nan=True
    )
    nan = math.nan
    assert np.array_equal(blocks[0].features, [[nan, nan, 0], [nan, 0, nan]], equal_nan=True)
    assert [one.reason for one in rejected] == ["NaN label"]


def test_blocks_are_empty_where_nearly_all_lines_are_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 40)
    path = write(tmp_path, "1 qid:1 1:1\n" + "x\n" * 1000 + "1 qid:1 1:2\n")
    pairs = list(read_letor(path, features=None, documents_per_block=50))
    assert lists([block for block, _ in pairs]) == [("1", [("0", 1, 1, [1]), ("1", 1, 1002, [2])])]
    assert [one.line for _, rejected in pairs for one in rejected] == list(range(2, 1002))
    assert max(len(rejected) for _, rejected in pairs) < 100
    assert pairs[0][0].features.shape == (0, 1)
    assert pairs[0][0].offsets.tolist() == [0]


# --- blocks ---------------------------------------------------------------------------------------------------------

SEVERAL = (
    "1 qid:1 1:1 2:10\n2 qid:1 2:2#docid=a\n\n0 qid:2 1:3\r\n# docid = no\nbad\n1 qid:3 2:4\n1 qid:3 1:0x1\n"
    "1 qid:3 2:5 1:6\n3 qid:3 1:7\n1 qid:2 1:8\n2 qid:2"
)


def test_any_size_of_text_blocks_gives_the_same(tmp_path, monkeypatch):
    path = write(tmp_path, SEVERAL)
    for size in (1, 3, 9):
        expected = read(path, size)
        sizes = [np.diff(block.offsets) for block in expected[0]]
        assert all(len(one) == 1 or one.sum() <= size for one in sizes)
        assert all(one.sum() + following[0] > size for one, following in pairwise(sizes))
        for block in range(1, len(SEVERAL) + 2):
            monkeypatch.setattr(letor_text, "_BLOCK", block)
            found = read(path, size)
            assert [lists([one]) for one in found[0]] == [lists([one]) for one in expected[0]]
            assert found[1] == expected[1]
            assert scan_letor(path) == LetorScan(1, 2, False)
    assert [one.line for one in expected[1]] == [6, 8]


def test_a_query_that_comes_back_is_another_list(tmp_path):
    path = write(tmp_path, "".join(f"1 qid:{query} 1:{i}\n" for i, query in enumerate("aabaccb")))
    for size in (1, 2, 100):
        blocks, _ = read(path, size)
        assert [query for query, _ in lists(blocks)] == ["a", "b", "a", "c", "b"]
    scan = scan_letor(path)
    assert (scan.contiguous, scan.lists, scan.documents) == (False, 3, 7)
    assert scan_letor(write(tmp_path, "1 qid:a\nx qid:b\n1 qid:a\n")).contiguous


def test_hashes_of_queries_are_remembered_over_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 1000)
    ids = [*range(2000), 5, 1999, 5]
    path = write(tmp_path, "".join(f"1 qid:{i}\n" for i in ids))
    seen = SeenQueries()
    scan = scan_letor(path, seen=seen)
    assert (scan.contiguous, scan.lists, scan.documents, seen.returned) == (False, 2000, 2003, 2)
    again = scan_letor(write(tmp_path, "1 qid:5\n1 qid:7\n1 qid:new\n", "other.txt"), seen=seen)
    assert (again.contiguous, again.lists, seen.returned) == (False, 1, 3)


def test_a_list_longer_than_a_block_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 64)
    path = write(tmp_path, "1 qid:1 1:1\n" + "".join(f"1 qid:2 1:{i}\n" for i in range(5000)) + "1 qid:3 1:1\n")
    blocks, _ = read(path, 10)
    assert [np.diff(block.offsets).tolist() for block in blocks] == [[1], [5000], [1]]
    assert blocks[1].features[:, 0].tolist() == list(range(5000))
    assert blocks[1].document_ids[-1].as_py() == "4999"


def test_the_same_file_gives_the_same_in_another_process(tmp_path):
    path = write(tmp_path, SEVERAL + "\n" + generated(2, 60, 5, 0.5))
    code = (
        "import sys; from pathlib import Path; from ranker.data.letor.blocks import read_letor\n"
        "for b, r in read_letor(Path(sys.argv[1]), features=None, documents_per_block=20):\n"
        "    print(b.query_ids.to_pylist(), b.document_ids.to_pylist(), b.features.tolist(), r)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, check=True, cwd=Path(__file__).parent
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert b"GX" not in runs.pop()


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files(tmp_path, ending):
    plain = write(tmp_path, SEVERAL)
    codec = {".gz": "gzip", ".zst": "zstd"}[ending]
    packed = write(tmp_path, pa.compress(SEVERAL.encode(), codec, asbytes=True), f"rank.txt{ending}")
    assert lists(read(packed)[0]) == lists(read(plain)[0])
    assert scan_letor(packed) == scan_letor(plain)


def test_gzip_of_several_members(tmp_path):
    path = write(tmp_path, gzip.compress(b"1 qid:1 1:1\n1 qid") + gzip.compress(b":1 1:2\n"), "rank.gz")
    assert lists(read(path)[0]) == [("1", [("0", 1, 1, [1]), ("1", 1, 2, [2])])]


@pytest.mark.parametrize("lost", [1, 8, 5000])
def test_truncated_gzip_names_the_file_and_how_far_it_got(tmp_path, monkeypatch, lost):
    monkeypatch.setattr(letor_text, "_BLOCK", 10_000)
    text = generated(3, 1000, 10, 1.0)
    path = write(tmp_path, gzip.compress(text.encode())[:-lost], "rank.gz")
    found = []
    with pytest.raises(
        RankerError, match=r"rank\.gz: cannot read from line \d+ on, after \d+ bytes of text: "
    ) as error:
        found.extend(read_letor(path, features=10, base=1, documents_per_block=10))
    reached = int(str(error.value).split("line ")[1].split(" ")[0])
    assert 300 < reached <= 1000
    assert reached - 20 < found[-1][0].lines[-1] < reached


def test_unreadable_files(tmp_path):
    with pytest.raises(RankerError, match=r"none\.txt: cannot read any of it: .*No such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(RankerError, match=r"not\.gz: cannot read any of it: .*incorrect header"):
        read(write(tmp_path, "1 qid:1 1:1\n", "not.gz"))


def test_a_line_without_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(letor_text, "_BLOCK", 100)
    monkeypatch.setattr(letor_text, "_LONGEST_LINE", 1000)
    with pytest.raises(RankerError, match=r"rank\.txt:2: expected lines of text, got one longer than 1000 bytes"):
        read(write(tmp_path, b"1 qid:1\n" + b"\0" * 2000), features=1, base=1)


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n", " \t\r\n"])
def test_files_without_documents(tmp_path, text):
    assert read(write(tmp_path, text)) == ([], [])
