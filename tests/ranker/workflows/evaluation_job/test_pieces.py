"""What of the files a worker reads at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.score_files import ScoreFile
from eval.score_parts import Columns
from ranker.workflows.evaluation_job import pieces
from ranker.workflows.evaluation_job.pieces import pieces_of, rows_about, schema_of

COLUMNS = Columns(("a",), ("price",))


def test_row_groups_together_are_the_file_in_its_order(scores, in_shards, monkeypatch):
    monkeypatch.setattr(pieces, "_ROWS", 320)
    folder = ScoreFile(in_shards(scores, 2))
    found = pieces_of(folder, COLUMNS)
    assert [piece.number for piece in found] == list(range(len(found)))
    per_file = [[piece.groups for piece in found if piece.file == file] for file in folder.files]
    assert per_file == [[(0, 1), (2, 3)]] * 2, "four groups of 150 rows a file, two of them in a piece"
    rows = [batch["document_id"] for piece in found for batch in folder.batches(COLUMNS, (), piece.file, piece.groups)]
    assert np.concatenate(rows).tolist() == scores["document_id"].to_pylist()


def test_other_files_are_read_as_a_whole(scores, in_shards):
    found = pieces_of(ScoreFile(in_shards(scores, 3, ".csv")), COLUMNS)
    assert [piece.groups for piece in found] == [None] * 3


def test_a_file_without_a_column_is_named(scores, in_shards):
    folder = in_shards(scores, 2)
    pq.write_table(scores.drop_columns(["price"]), folder / "part-001.parquet")
    with pytest.raises(ValueError, match=r"part-001.parquet: score table: expected a column 'price'"):
        pieces_of(ScoreFile(folder), COLUMNS)


def test_a_file_without_the_column_of_judged_documents_is_named(scores, in_shards):
    folder = in_shards(scores, 2)
    judged = scores.append_column("judged", pa.array([True] * scores.num_rows))
    pq.write_table(judged, folder / "part-000.parquet")
    with pytest.raises(ValueError, match=r"part-001.parquet: score table: expected a column 'judged'"):
        pieces_of(ScoreFile(folder), COLUMNS)


def test_types_are_those_of_the_first_rows(scores, in_shards):
    encoded = scores.set_column(0, "query_id", scores["query_id"].dictionary_encode())
    found = schema_of(ScoreFile(in_shards(encoded, 2)), COLUMNS, ["price"])
    assert found.names == ["query_id", "document_id", "label", "a", "price"]
    assert found.field("query_id").type == pa.string()
    assert schema_of(ScoreFile(in_shards(scores, 2, ".csv")), COLUMNS, ["price"]) == found


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_the_number_of_rows_is_about_known(scores, in_shards, ending):
    about = rows_about(ScoreFile(in_shards(scores, 3, ending)))
    assert about == scores.num_rows if ending == ".parquet" else scores.num_rows / 3 < about < scores.num_rows * 4
