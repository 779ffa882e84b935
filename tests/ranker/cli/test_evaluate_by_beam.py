"""`ranker evaluate SCORES --runner ...`, in this process."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ranker.cli.evaluate import command


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """300 lists in three files."""
    folder = tmp_path_factory.mktemp("scores")
    random = np.random.default_rng(0)
    labels = (random.random(3000) < 0.3).astype(float)
    table = pa.table(
        {
            "query": np.repeat([f"q{number}" for number in range(300)], 10),
            "document_id": np.tile([f"d{number}" for number in range(10)], 300),
            "label": labels,
            "bad": random.normal(size=3000),
            "good": labels + random.normal(size=3000),
            "shop": np.repeat(np.where(np.arange(300) < 200, "here", "there"), 10),
        }
    ).take(random.permutation(3000))
    for number in range(3):
        pq.write_table(table.slice(number * 1000, 1000), folder / f"part-{number}.parquet")
    return folder


def invoked(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments)])


def test_the_report_is_that_of_the_command_without_beam(shards, tmp_path):
    asked = [
        "--query-id=query",
        "--baseline=bad",
        "--slice=shop",
        "--find-slices",
        "--draws=200",
        "--gate={metric: ndcg@10, floor: 0.99}",
    ]
    plain = invoked(shards, *asked, "--out", tmp_path / "plain")
    by_beam = invoked(
        shards / "part-*.parquet",
        *asked,
        *["--runner", "FnApiRunner", "--direct_runner_bundle_repeat=1", "--temp", tmp_path / "temp"],
        *["--out", tmp_path / "by beam"],
    )
    assert plain.exit_code == by_beam.exit_code == 1, by_beam.output
    texts = [(tmp_path / name / "report.json").read_text() for name in ("plain", "by beam")]
    assert json.loads(texts[0]) == json.loads(texts[1])
    assert "gate: FAIL" in by_beam.output
    rows = [pq.read_table(tmp_path / name / "per_query.parquet").sort_by("query_id") for name in ("plain", "by beam")]
    assert rows[0].equals(rows[1])
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["scores", "--runer=FnApiRunner"], "No such option '--runer'"),
        (["scores", "--flink_master=host:1"], "No such option '--flink_master'"),
        (["bundle", "dataset", "--runner=FnApiRunner"], "--runner has no effect on a bundle"),
        (["bundle", "dataset", "--temp=here"], "--temp has no effect on a bundle"),
        (["--runner=FnApiRunner"], "Missing argument 'BUNDLE DATASET | SCORES'"),
    ],
)
def test_options_without_effect_are_refused(arguments, says):
    done = invoked(*arguments)
    assert done.exit_code == 2
    assert says in done.output
