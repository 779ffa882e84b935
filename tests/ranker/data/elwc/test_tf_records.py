"""TFRecord files against TensorFlow's own reader and writer."""

from __future__ import annotations

import gzip

import pytest
import tensorflow as tf

from ranker.data.data_error import DataError
from ranker.data.elwc import tf_records
from ranker.data.elwc.tf_records import read_records, write_records

RECORDS = [b"", b"a", b"\x00" * 70_000, bytes(range(256)) * 40]
HEAD, CRC = 12, 4


def write(path, records=RECORDS, compression=None) -> bytes:
    write_records(path, records, compression)
    return path.read_bytes()


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_tensorflow_reads_what_is_written(tmp_path, compression):
    write(tmp_path / "a", compression=compression)
    dataset = tf.data.TFRecordDataset(str(tmp_path / "a"), compression_type=(compression or "").upper())
    assert list(dataset.as_numpy_iterator()) == RECORDS


@pytest.mark.parametrize("compression", ["", "GZIP"])
@pytest.mark.parametrize("block", [7, 4 << 20])
def test_what_tensorflow_writes_is_read(tmp_path, compression, block, monkeypatch):
    monkeypatch.setattr(tf_records, "_BLOCK", block)
    with tf.io.TFRecordWriter(str(tmp_path / "a"), compression) as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(read_records(tmp_path / "a")) == list(enumerate(RECORDS, start=1))


def test_a_plain_file_may_begin_as_gzip_does(tmp_path):
    """The length of its first record, 35,615 bytes, begins with gzip's mark."""
    assert write(tmp_path / "a", [b"x" * 0x8B1F]).startswith(b"\x1f\x8b")
    assert list(read_records(tmp_path / "a")) == [(1, b"x" * 0x8B1F)]


def test_gzip_in_several_members_is_one_file(tmp_path):
    plain = write(tmp_path / "a")
    (tmp_path / "a").write_bytes(gzip.compress(plain[:20]) + gzip.compress(plain[20:]))
    assert [record for _, record in read_records(tmp_path / "a")] == RECORDS


def test_the_same_records_are_the_same_bytes(tmp_path):
    assert write(tmp_path / "a", compression="gzip") == write(tmp_path / "b", compression="gzip")


def test_an_empty_file_has_no_records(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    assert list(read_records(tmp_path / "a")) == []


THIRD = 2 * (HEAD + CRC) + 1  # where the third record starts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[: THIRD + 5], "record 3, byte 33: cut off after 5 bytes"),
        (
            lambda data: data[: THIRD + HEAD + 100],
            "record 3, byte 33: cut off: expected 70,004 bytes behind its head, got 100",
        ),
        (lambda data: data[: THIRD + HEAD + 70_000], "cut off: expected 70,004 bytes behind its head, got 70,000"),
        (lambda data: data[:THIRD] + b"\x01" + data[THIRD + 1 :], "byte 33: the checksum of its length is wrong"),
        (lambda data: data[: THIRD + 50] + b"\x01" + data[THIRD + 51 :], "33: the checksum of its data is wrong"),
        (lambda data: b"1 qid:1 1:0.5\n" * 9, "record 1, byte 0: expected a TFRecord file, plain or gzip"),
        (lambda data: gzip.compress(data)[:-40], "the gzip file is cut off"),
        (lambda data: gzip.compress(data[: THIRD + 5]), "record 3, byte 33: cut off after 5 bytes"),
        (lambda data: gzip.compress(data)[:12] + b"\xff" * 50, "cannot read"),
    ],
)
def test_a_damaged_file_names_the_record_and_byte(tmp_path, change, message):
    data = write(tmp_path / "a")
    (tmp_path / "a").write_bytes(change(data))
    with pytest.raises(DataError, match=message) as error:
        list(read_records(tmp_path / "a"))
    assert str(error.value).startswith(f"{tmp_path / 'a'}: ")


def test_records_before_the_damage_are_given(tmp_path):
    (tmp_path / "a").write_bytes(write(tmp_path / "a")[:-1])
    found = []
    with pytest.raises(DataError):
        found.extend(record for _, record in read_records(tmp_path / "a"))
    records = read_records(tmp_path / "a")
    assert [next(records)[1] for _ in range(3)] == RECORDS[:3]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"nothing: cannot read: No such file"):
        list(read_records(tmp_path / "nothing"))
