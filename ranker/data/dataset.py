"""The dataset: what `prepare` makes and `train` and `evaluate` read.

manifest.json   spec and its digest, fingerprints of the sources, counts per split, columns, layout, versions
examples/       transformed, packed records per split
raw/            the same lists as they came, per split
transform/      the transform graph
collection/     word statistics of the document collection
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ranker.data.artefacts import ArtefactError, read_manifest
from ranker.data.columns import Column
from ranker.data.layout import Layout
from ranker.data.split import SplitName
from ranker.spec import Spec

__all__ = ["Dataset", "shard_name"]


class Dataset:
    """A dataset on disk.

    Attributes:
        path: its folder.
        manifest: as `prepare` wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: dict[str, Any] = read_manifest(path, "dataset")

    @property
    def columns(self) -> list[Column]:
        """The raw columns of its lists."""
        return [Column(**column) for column in self.manifest["columns"]]

    @property
    def layout(self) -> Layout:
        """The tensors of its packed examples."""
        return Layout.from_json(self.manifest["layout"])

    @property
    def spec(self) -> Spec:
        """The spec that made it."""
        return Spec.model_validate(self.manifest["spec"])

    @property
    def transform(self) -> Path:
        """Folder of the transform graph."""
        return self.path / "transform"

    def packed(self, split: SplitName) -> list[Path]:
        """Files of packed examples."""
        return self._files("examples", split)

    def raw(self, split: SplitName) -> list[Path]:
        """Files of raw lists, in the order of the packed ones."""
        return self._files("raw", split)

    def _files(self, folder: str, split: SplitName) -> list[Path]:
        files = sorted((self.path / folder).glob(f"{split}-*"))
        if not files:
            raise ArtefactError(
                f"{self.path / folder}: no files {split}-*; make the dataset anew with `ranker prepare`"
            )
        return files


def shard_name(split: SplitName, shard: int, shards: int) -> str:
    """Name of a file of records."""
    return f"{split}-{shard:05d}-of-{shards:05d}"
