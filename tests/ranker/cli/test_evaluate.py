"""`ranker evaluate` on the small bundle."""

from __future__ import annotations

import json

from rich.console import Console

from ranker.cli.terminal import metric_table
from ranker.workflows.evaluate import evaluate


def test_the_report_is_printed_and_written(ranker, bundle, dataset, progress, tmp_path):
    done = ranker("evaluate", bundle, dataset.path, "--out", "report.json")
    assert done.returncode == 0, done.stderr
    report = evaluate(bundle, dataset, progress)
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report.to_dict()))
    with (tmp_path / "expected").open("w+") as file:
        Console(file=file, width=80, highlight=False).print(metric_table(report))
        file.seek(0)
        expected = file.read()
    numbers = [word for word in expected.split() if word.startswith("0.") and len(word) == 6]
    assert numbers
    assert all(number in done.stdout for number in numbers)
    assert "report: report.json" in done.stdout


def test_a_missing_dataset_is_told_before_anything_is_loaded(refused, bundle):
    assert refused("evaluate", bundle, "none").startswith("none: no dataset here")
