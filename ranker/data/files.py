"""Files of a source, on this machine or wherever fsspec and its plug-ins reach: found, opened, unpacked on the way.

Paths are those of `Spec.path`: a `pathlib.Path` or, for `scheme://...`, a `upath.UPath`, which has the same methods.
Remote files are read as a stream of a few megabytes at a time. What a plug-in raises becomes an `OSError` that says
what to check, so that readers tell its place as they do for a disk.
"""

from __future__ import annotations

import errno
import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import Any

import pyarrow as pa

from ranker.data.data_error import DataError

__all__ = [
    "exists",
    "is_packed",
    "is_remote",
    "matching_files",
    "open_binary",
    "open_unpacked",
    "parent_names",
    "size_of",
    "version_of",
]

_BUFFER = 1 << 20  # bytes
_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
_MARKS = ("ETag", "etag", "md5Hash", "Content-MD5", "content_md5", "generation", "VersionId")


def is_remote(path: Path) -> bool:
    """Whether a path is one of fsspec's."""
    return not isinstance(path, Path)


def is_packed(path: Path) -> bool:
    """Whether the name of a file says that it is compressed."""
    return _codec(path) is not None


def _codec(path: Path) -> str | None:
    """How a file is compressed, by its name."""
    return _CODECS.get(path.suffix)


def exists(path: Path) -> bool:
    """Whether there is such a file or folder.

    Raises:
        OSError: if a remote place cannot be asked.
    """
    try:
        _is_folder(path)
    except FileNotFoundError:
        return False
    return True


def size_of(path: Path) -> int:
    """Bytes of a file, as it is stored.

    Raises:
        OSError: if it cannot be asked.
    """
    with _explained(path):
        return path.stat().st_size


def version_of(path: Path) -> str | None:
    """What a remote place says by itself of the content of a file, a checksum or a version; None if it says nothing.

    Raises:
        OSError: if it cannot be asked.
    """
    if not is_remote(path):
        return None
    place: Any = path
    with _explained(path):
        known = place.fs.info(place.path)
    return next((f"{mark} {known[mark]}" for mark in _MARKS if known.get(mark)), None)


def parent_names(path: Path) -> list[str]:
    """Names of the files beside a path, for messages; none where that cannot be asked."""
    if is_remote(path) or not path.parent.is_dir():
        return []
    return [other.name for other in path.parent.iterdir()]


def matching_files(path: Path) -> list[Path]:
    """The files that a path of the spec names, sorted: one, or all that match if its name holds `*`, `?` or `[`.

    Raises:
        DataError: if there is none, or one is a folder.
    """
    try:
        pattern = any(mark in str(path) for mark in "*?[") and not exists(path)
        paths = sorted(_matches(path), key=str) if pattern else [path]
        folder = next((one for one in paths if _is_folder(one)), None)
    except OSError as error:
        raise DataError(
            f"{path}: cannot read: {error.strerror or error}; the spec's data.sources names this file"
        ) from None
    if not paths:
        raise DataError(f"{path}: no file matches; the spec's data.sources names it")
    if folder is not None:
        raise DataError(f"{folder}: cannot read: it is a folder; name its files, e.g. {folder}/*.parquet")
    return paths


def _is_folder(path: Any) -> bool:
    """Whether a path is a folder, not a file; a FileNotFoundError if it is neither. Reads nothing of a file."""
    if is_remote(path):
        with _explained(path):
            return path.fs.info(path.path)["type"] == "directory"
    return stat.S_ISDIR(path.stat().st_mode)


def _matches(path: Any) -> list[Path]:
    if not is_remote(path):
        return [Path(found) for found in glob(str(path))]  # noqa: PTH207 - the path may be absolute
    from upath import UPath

    with _explained(path):
        found = [path.fs.unstrip_protocol(name) for name in path.fs.glob(path.path)]
    return [UPath(name, **path.storage_options) for name in found]


def open_binary(path: Path) -> io.BufferedReader:
    """The bytes of a file, as they are stored; `seek` works where the place it is at can do that.

    Raises:
        OSError: if it cannot be opened; the same comes from reading on.
    """
    if not is_remote(path):
        return path.open("rb")
    return io.BufferedReader(_Remote(path), _BUFFER)


def open_unpacked(path: Path) -> pa.NativeFile:
    """The text of a file, unpacked if its name ends in .gz or .zst (.bz2, .lz4).

    Raises:
        OSError: if it cannot be opened; the same comes from reading on.
    """
    if not is_remote(path):
        return pa.input_stream(str(path), compression="detect")
    return pa.input_stream(open_binary(path), compression=_codec(path))


class _Remote(io.RawIOBase):
    """A file of fsspec, with its errors explained."""

    def __init__(self, path: Any) -> None:
        self._path = path
        with _explained(path):
            self._file = path.open("rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _explained(self._path):
            return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with _explained(self._path):
            data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        at = self._file.tell()
        try:
            return self._file.read(size)
        except ValueError as error:
            if "range requests" not in str(error):
                raise
        # A web server that gives no parts of a file: from its start on, then.
        self._file.close()
        self._file = self._path.open("rb", block_size=0)
        while at:
            passed = len(self._file.read(min(at, _BUFFER)))
            if not passed:
                raise OSError("the file has become shorter")
            at -= passed
        return self._file.read(size)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


@contextmanager
def _explained(path: Any) -> Iterator[None]:
    """What goes wrong with a remote path, as an OSError that says what to check; those of a disk are clear."""
    if not is_remote(path):
        yield
        return
    try:
        yield
    except Exception as error:  # plug-ins raise what their libraries raise
        raise _explanation(path, error) from error


def _explanation(path: Any, error: Exception) -> OSError:
    said = str(error) or type(error).__name__
    scheme = f"{path.protocol}://"
    if isinstance(error, FileNotFoundError):
        why = f" ({error.__cause__})" if error.__cause__ else ""
        return FileNotFoundError(errno.ENOENT, f"No such file or directory{why}")
    if isinstance(error, ImportError):
        return OSError(f"{said}; {scheme} needs this Python package, install it")
    if isinstance(error, PermissionError) or "redential" in f"{type(error).__name__} {said}":
        return PermissionError(errno.EACCES, f"{said}; check the credentials that this process has for {scheme}")
    if isinstance(error, OSError) and error.strerror:
        return error
    return OSError(f"{type(error).__name__}: {said}; check the address, the network and the rights for {scheme}")
