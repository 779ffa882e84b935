"""Scores in shards, and what is asked of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from eval.changes import Texts
from eval.evaluate import evaluate
from eval.gate import Measurements, decide
from eval.report.build import report_of
from eval.score_files import ScoreFile
from ranker.spec import Evaluation, GateRule
from ranker.workflows.evaluation_job import Job, share_scores_out
from ranker.workflows.evaluation_request import Asked, request_of, rules_of
from ranker.workflows.slice_code import load_slice_code

CODE = "def first(brand):\n    return [None if name == 'b1' else name[:2] for name in brand]\n"


@pytest.fixture(scope="session")
def scores() -> pa.Table:
    """140 lists of 20 users: models a, b (more noise) and c (tied scores), some texts and numbers missing."""
    random = np.random.default_rng(5)
    sizes = random.integers(3, 15, 140)
    query, rows = np.repeat(np.arange(140), sizes), int(sizes.sum())
    labels = random.integers(0, 4, rows) * (random.random(rows) < 0.4)
    a = labels + random.normal(size=rows) * 2
    price = np.round(random.lognormal(3, 1, rows), 2)
    price[random.random(rows) < 0.1] = np.nan
    names = np.array(["garden", "kitchen", "toys", None], dtype=object)
    return pa.table(
        {
            "query_id": pa.array([f"q{number}" for number in query]),
            "document_id": pa.array([f"d{number}" for number in random.permutation(rows)]),
            "label": labels.astype(np.float64),
            "a": a,
            "b": a + random.normal(size=rows),
            "c": np.round(a),
            "category": pa.array(names[random.integers(0, 4, 140)][query], pa.string()),
            "user": pa.array([f"u{number}" for number in random.integers(0, 20, 140)[query]]),
            "price": price,
            "brand": pa.array([f"b{number}" for number in random.zipf(1.8, rows) % 40]),
        }
    )


@pytest.fixture
def in_shards(tmp_path: Path) -> Callable[..., Path]:
    """`in_shards(table, 3, ".csv")`: a folder with the rows, in their order, in so many files."""

    def write(table: pa.Table, shards: int, ending: str = ".parquet") -> Path:
        folder = tmp_path / f"shards-{shards}{ending}"
        folder.mkdir()
        bounds = np.linspace(0, table.num_rows, shards + 1).astype(int)
        for number in range(shards):
            rows = table.slice(bounds[number], bounds[number + 1] - bounds[number])
            file = folder / f"part-{number:03d}{ending}"
            if ending == ".parquet":
                pq.write_table(rows, file, row_group_size=150)
            elif ending == ".arrow":
                pa.feather.write_feather(rows, file, chunksize=70)
            elif ending == ".csv":
                rows.to_pandas().to_csv(file, index=False)
            else:
                file.write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()).replace("NaN", "null"))
        return folder

    return write


@pytest.fixture
def measured(tmp_path: Path, progress: Any) -> Callable[..., tuple[dict[str, Any], pa.Table]]:
    """`measured(scores, *options, rows_of_part=, gate=, unusable=, **evaluation)`: the report and the table of queries.

    With options, which are Beam's, it is measured by jobs.
    """
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "mine.py").write_text(CODE)

    def measure(
        scores: Path,
        *options: str,
        rows_of_part: int = 100,
        gate: tuple[Any, ...] = (),
        unusable: Literal["error", "drop"] = "error",
        **section: Any,
    ) -> tuple[dict[str, Any], pa.Table]:
        evaluation = Evaluation.model_validate(section)
        functions = load_slice_code(evaluation.slices, tmp_path / "spec")
        rules = [GateRule.model_validate(rule) for rule in gate]
        texts = Texts("category", "brand")
        asked = Asked(evaluation, ("a", "b", "c"), "b", rules, functions, texts=texts, unusable=unusable)
        request, file = request_of(asked), ScoreFile(scores)
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            if options:
                job = Job(options, rows_of_part)
                given, passes = share_scores_out(file, request, job, Path(folder), progress)
            else:
                given, passes = file.open(request.columns, request.numbers, Path(folder)), None
            found = evaluate(given, request, tmp_path / "per_query.parquet", passes)
        decided = decide(found, rules_of(asked), Measurements()) if rules else None
        return json.loads(json.dumps(report_of(found, (), decided))), pq.read_table(tmp_path / "per_query.parquet")

    return measure
