"""report.json."""

import json
from pathlib import Path
from typing import cast

from eval.report.data import FORMAT_VERSION, Report

__all__ = ["read_report", "write_report"]


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON."""
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(f"{text}\n", encoding="utf-8", errors="replace")


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        ValueError: the file cannot be read, or is no report of a known version.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot read the report: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(report, dict) or report.get("kind") != "report" or report.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"{path}: expected a report of format_version {FORMAT_VERSION}; write it anew")
    return cast("Report", report)
