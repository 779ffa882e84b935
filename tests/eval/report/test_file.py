import json

import pytest

from eval.evaluate import Request, evaluate
from eval.report.build import report_of
from eval.report.data import Report
from eval.report.file import read_report, write_report


@pytest.fixture
def report(make_scores) -> Report:
    return report_of(evaluate(make_scores(20), Request(("a", "b"), ("ndcg",), "a")))


def test_a_report_is_read_as_it_was_written(report, tmp_path):
    write_report(report, tmp_path / "report.json")
    assert read_report(tmp_path / "report.json") == report
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_texts_that_are_no_unicode_do_not_stop_a_report(report, tmp_path):
    report["notes"].append("a lone \ud800")
    write_report(report, tmp_path / "report.json")
    assert read_report(tmp_path / "report.json")["notes"] == ["a lone ?"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "expected a report of format_version 1"),
        ('{"kind": "report", "format_version": 2}', "expected a report of format_version 1"),
        ('{"kind": "bundle", "format_version": 1}', "expected a report of format_version 1"),
    ],
)
def test_other_files_are_refused(tmp_path, text, says):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_report(tmp_path / "report.json")
    with pytest.raises(ValueError, match="cannot read the report"):
        read_report(tmp_path / "gone.json")
