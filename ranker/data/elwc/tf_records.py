"""TFRecord files: records with their length and checksums, plain or gzip.

A record is its length (uint64, little endian), the masked CRC-32C of these eight bytes, the data, and the masked
CRC-32C of the data (uint32 each); the format is described at https://www.tensorflow.org/tutorials/load_data/tfrecord.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from google_crc32c import value as crc32c

from ranker.data.data_error import DataError
from ranker.data.files import open_binary

__all__ = ["read_records", "write_records"]

_HEAD = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_BLOCK = 4 << 20  # bytes read at once
_GZIP = b"\x1f\x8b"


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """The records of a file, each with its number from 1; memory is that of the longest, and a block.

    Raises:
        DataError: if the file cannot be read, is cut off, or a checksum is wrong; it says in which record, and at which
            byte of the (unpacked) file that starts.
    """
    number, at = 1, 0
    try:
        with open_binary(path) as stored:
            start = stored.peek(_HEAD.size)[: _HEAD.size]
            # A plain file may begin with gzip's mark: records of 35,615 bytes do.
            packed = start.startswith(_GZIP) and not _is_head(start)
            with gzip.GzipFile(fileobj=stored) if packed else stored as file:
                reader = _Reader(file)
                while (data := _next(reader, path, number, at)) is not None:
                    at += len(data) + _HEAD.size + _CRC.size
                    yield number, data
                    number += 1
    except EOFError:
        raise _fault(path, number, at, "the gzip file is cut off") from None
    except (OSError, zlib.error) as error:
        where = f"record {number:,}, byte {at:,}: " if at else ""
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: {where}cannot read: {reason}") from None


def write_records(path: Path, records: Iterable[bytes], compression: Literal["gzip"] | None = None) -> None:
    """Write a file of records; the same records give the same bytes."""
    with path.open("wb") as stored:
        if compression == "gzip":
            with gzip.GzipFile(filename="", fileobj=stored, mode="wb", compresslevel=6, mtime=0) as packed:
                _write(packed, records)
        else:
            _write(stored, records)


class _Reader:
    """Reads so many bytes, a block ahead."""

    def __init__(self, file: BinaryIO | gzip.GzipFile) -> None:
        self._file, self._block, self._at = file, b"", 0

    def read(self, size: int) -> bytes:
        """The next bytes; fewer at the end of the file."""
        if self._at + size > len(self._block):
            left = self._block[self._at :]
            self._block, self._at = left + self._more(size - len(left)), 0
        data = self._block[self._at : self._at + size]
        self._at += len(data)
        return data

    def _more(self, size: int) -> bytes:
        parts = []
        while size > 0 and (part := self._file.read(_BLOCK)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _next(reader: _Reader, path: Path, number: int, at: int) -> bytes | None:
    """The data of the next record, None at the end of the file."""
    head = reader.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise _fault(path, number, at, f"cut off after {len(head)} bytes")
    if not _is_head(head):
        what = "the checksum of its length is wrong" if at else "expected a TFRecord file, plain or gzip"
        raise _fault(path, number, at, what)
    size: int = _HEAD.unpack(head)[0]
    body = reader.read(size + _CRC.size)
    if len(body) < size + _CRC.size:
        raise _fault(
            path, number, at, f"cut off: expected {size + _CRC.size:,} bytes behind its head, got {len(body):,}"
        )
    data = body[:size]
    if _CRC.unpack_from(body, size)[0] != _masked(crc32c(data)):
        raise _fault(path, number, at, "the checksum of its data is wrong")
    return data


def _fault(path: Path, number: int, at: int, what: str) -> DataError:
    return DataError(f"{path}: record {number:,}, byte {at:,}: {what}")


def _is_head(head: bytes) -> bool:
    return len(head) == _HEAD.size and _HEAD.unpack(head)[1] == _masked(crc32c(head[:8]))


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _write(file: BinaryIO | gzip.GzipFile, records: Iterable[bytes]) -> None:
    for record in records:
        size = struct.pack("<Q", len(record))
        file.write(b"".join([size, _CRC.pack(_masked(crc32c(size))), record, _CRC.pack(_masked(crc32c(record)))]))
