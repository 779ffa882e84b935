"""A dataset on disk."""

from __future__ import annotations

import shutil

import pytest

from ranker.data.artefacts import ArtefactError
from ranker.data.columns import raw_columns
from ranker.data.dataset import Dataset, shard_name
from ranker.data.split import SPLITS


def test_a_dataset_knows_the_spec_that_made_it(dataset, store_spec):
    assert dataset.spec.digest == store_spec.digest == dataset.manifest["spec_digest"]
    assert dataset.columns == raw_columns(store_spec)
    assert dataset.layout.dense == tuple(store_spec.features.dense_names)


@pytest.mark.parametrize("split", SPLITS)
def test_packed_and_raw_files_of_a_split_go_in_pairs(dataset, split):
    names = [file.name for file in dataset.packed(split)]
    assert names == [file.name for file in dataset.raw(split)] == [shard_name(split, number, 8) for number in range(8)]


def test_shards_sort_by_number():
    names = [shard_name("train", shard, 12) for shard in range(12)]
    assert names == sorted(names)
    assert names[3] == "train-00003-of-00012"


def test_missing_files_are_told(dataset, tmp_path):
    shutil.copy(dataset.path / "manifest.json", tmp_path)
    (tmp_path / "raw").mkdir()
    for folder, files in (("raw", Dataset(tmp_path).raw), ("examples", Dataset(tmp_path).packed)):
        with pytest.raises(ArtefactError, match=f"{folder}: no files valid-.*ranker prepare"):
            files("valid")


def test_a_folder_without_a_manifest_is_no_dataset(tmp_path):
    with pytest.raises(ArtefactError, match="no dataset here"):
        Dataset(tmp_path)
