"""Files of places that fsspec reaches: in memory, and of a web server on this machine."""

from __future__ import annotations

import errno
import gzip
import io
import pickle
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from upath import UPath

from ranker.data.data_error import DataError
from ranker.data.files import (
    exists,
    is_packed,
    is_remote,
    matching_files,
    open_binary,
    open_unpacked,
    parent_names,
    size_of,
    version_of,
)

BIG = bytes(range(256)) * 50_000  # more than fsspec reads ahead


def test_a_path_of_this_machine_is_no_remote_one(tmp_path):
    assert not is_remote(tmp_path)
    assert is_remote(UPath("memory:///files"))


def test_what_is_in_memory(memory):
    folder = memory({"a.txt": b"one", "b.txt.gz": gzip.compress(b"two"), "c.csv": b""})
    assert matching_files(folder / "a.txt") == [folder / "a.txt"]
    assert matching_files(folder / "*.txt*") == [folder / "a.txt", folder / "b.txt.gz"]
    assert [size_of(path) for path in matching_files(folder / "[ac].*")] == [3, 0]
    with open_binary(folder / "a.txt") as file:
        assert file.read(2) == b"on"
        assert file.seek(1) == 1
        assert file.read() == b"ne"
    with open_unpacked(folder / "b.txt.gz") as text, open_unpacked(folder / "a.txt") as plain:
        assert (text.read(), plain.read()) == (b"two", b"one")
    assert exists(folder / "a.txt")
    assert not exists(folder / "z.txt")
    assert parent_names(folder / "z.txt") == []
    assert version_of(folder / "a.txt") is None
    assert pickle.loads(pickle.dumps(folder / "a.txt")).read_bytes() == b"one"


@pytest.mark.parametrize("local", [True, False])
def test_what_is_not_there(memory, tmp_path, local):
    memory({"folder/a": b""})
    (tmp_path / "folder").mkdir()
    place = tmp_path if local else UPath("memory:///files")
    for name, message in {
        "z.txt": r"z.txt: cannot read: No such file or directory; the spec's data.sources names this file",
        "*.txt": r"\*.txt: no file matches; the spec's data.sources names it",
        "folder": r"folder: cannot read: it is a folder; name its files, e.g. .*folder/\*.parquet",
    }.items():
        with pytest.raises(DataError, match=message):
            matching_files(place / name)
    with pytest.raises(FileNotFoundError):
        open_binary(place / "z.txt")


def test_a_name_with_a_mark_of_patterns_is_that_file(tmp_path):
    (tmp_path / "a[1].txt").write_bytes(b"")
    (tmp_path / "a1.txt").write_bytes(b"")
    assert matching_files(tmp_path / "a[1].txt") == [tmp_path / "a[1].txt"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_web_server_is_read_as_a_stream(web, ranges):
    folder, sent = web({"big.bin": BIG, "x.gz": gzip.compress(BIG)}, ranges=ranges)
    assert matching_files(folder / "big.bin") == [folder / "big.bin"]
    assert size_of(folder / "big.bin") == len(BIG)
    assert sum(size for _, size in sent) == 0, "nothing is read to see whether it is there"
    with open_binary(folder / "big.bin") as file:
        assert file.read(10) == BIG[:10]
        if ranges:
            assert sum(size for _, size in sent) < len(BIG)
        assert file.read() == BIG[10:]
    with open_unpacked(folder / "x.gz") as text:
        assert text.read() == BIG
    if ranges:
        with open_binary(folder / "big.bin") as file:
            file.seek(len(BIG) - 5)
            assert file.read() == BIG[-5:]


def test_an_address_with_a_question_is_no_pattern(web):
    folder, _ = web({"a.txt": b"one"})
    assert matching_files(folder / "a.txt?token=[1]*") == [folder / "a.txt?token=[1]*"]


def test_parquet_of_a_web_server_is_read_in_parts(web):
    table = pa.table({"a": range(400_000), "b": [str(number) * 3 for number in range(400_000)]})
    file = io.BytesIO()
    pa.parquet.write_table(table, file, row_group_size=100_000, compression="none", use_dictionary=False)
    folder, sent = web({"t.parquet": file.getvalue()})
    with open_binary(folder / "t.parquet") as opened, pa.parquet.ParquetFile(opened) as parquet:
        assert parquet.read_row_group(0, ["a"])["a"].to_pylist() == list(range(100_000))
    assert sum(size for _, size in sent) < len(file.getvalue())


def test_what_a_web_server_says_of_the_content_is_its_version(web):
    folder, sent = web({"a.txt": b"one"}, tag='"v1"')
    assert version_of(folder / "a.txt") == 'ETag "v1"'
    assert sum(size for _, size in sent) == 0
    assert version_of(web({"a.txt": b"one"})[0] / "a.txt") is None
    assert version_of(Path("anything")) is None


def test_a_web_server_that_is_not_there_is_told():
    with pytest.raises(DataError, match=r"x.txt: cannot read: No such file or directory \(Cannot connect to host"):
        matching_files(UPath("http://127.0.0.1:1/x.txt"))


class Failing:
    """A path of a place that fails."""

    protocol = "s3"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def stat(self):
        raise self._error

    def open(self, *_, **__):
        raise self._error

    def __str__(self) -> str:
        return "s3://bucket/a.txt"


class NoCredentialsError(Exception):
    """As botocore has it, which is no OSError."""


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            NoCredentialsError("Unable to locate credentials"),
            PermissionError,
            "check the credentials that this process",
        ),
        (PermissionError("Access Denied"), PermissionError, "Access Denied; check the credentials"),
        (
            ImportError("Install s3fs to access S3"),
            OSError,
            "Install s3fs to access S3; s3:// needs this Python package",
        ),
        (RuntimeError("boom"), OSError, "RuntimeError: boom; check the address, the network and the rights for s3://"),
        (TimeoutError(), OSError, "TimeoutError: TimeoutError; check the address"),
        (OSError(errno.EIO, "disk on fire"), OSError, "disk on fire"),
    ],
)
def test_what_plug_ins_raise_says_what_to_check(error, kind, message):
    for ask in (open_binary, size_of):
        with pytest.raises(kind, match=re.escape(message)):
            ask(Failing(error))


@pytest.mark.parametrize(
    ("name", "packed"), [("a.gz", True), ("a.txt.zst", True), ("a.bz2", True), ("a.txt", False), ("gz", False)]
)
def test_packed_files_are_told_by_their_names(name, packed):
    assert is_packed(Path(name)) == packed
