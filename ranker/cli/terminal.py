"""What commands show: progress, tables, ranked lists; and TensorFlow without its start-up chatter."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from eval.report import Report

__all__ = ["TerminalProgress", "load_tensorflow", "metric_table", "ranked_table"]


class TerminalProgress:
    """Shows the stage under way with a spinner, and each finished one with its wall time."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    @contextmanager
    def stage(self, what: str) -> Iterator[_Stage]:
        """Show `what` while the block runs."""
        started = time.perf_counter()
        with self.console.status(Text(what)) as status:
            stage = _Stage(what, status)
            yield stage
        seconds = f"{time.perf_counter() - started:.1f} s"
        self.console.print(Text.assemble(("✓", "green"), f" {what} ", (stage.note, "dim"), " ", (seconds, "cyan")))


class _Stage:
    def __init__(self, what: str, status: Status) -> None:
        self._what, self._status, self._started = what, status, time.perf_counter()
        self.note = ""

    def count(self, rows: int) -> None:
        self.note = f"{rows:,} rows, {rows / max(time.perf_counter() - self._started, 1e-9):,.0f} a second"
        self._status.update(Text.assemble(self._what, " ", (self.note, "dim")))

    def update(self, done: int, total: int, note: str = "") -> None:
        self.note = f"{done}/{total} {note}"
        self._status.update(Text.assemble(self._what, " ", (self.note, "dim")))


def load_tensorflow() -> None:
    """Import TensorFlow without the lines it writes past Python to stderr; they are shown if the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            import_module("ranker.models")  # first: it chooses the Keras that TensorFlow loads
            import tensorflow as tf
        except BaseException:
            chatter.seek(0)
            os.write(kept, chatter.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    tf.get_logger().setLevel("ERROR")  # deprecations inside TensorFlow's own packages
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)  # tracebacks of errors that are raised anyway


def metric_table(report: Report) -> Table:
    """Each model's figures with intervals, and its difference to the baseline."""
    confidence = f"[{report.confidence:.0%} interval]"
    baseline = next((result.delta.baseline for result in report.results if result.delta), None)
    table = Table(title=f"{report.n_queries} test lists, {report.n_documents} documents", title_justify="left")
    table.add_column("metric")
    table.add_column("model")
    table.add_column(Text(f"mean {confidence}"), justify="right")
    if baseline:
        table.add_column(Text(f"minus {baseline} {confidence}"), justify="right")
        table.add_column("p", justify="right")
    for result in report.results:
        mean, delta = result.interval, result.delta
        cells = [result.metric, result.model, f"{mean.mean:.4f} [{mean.low:.3f}, {mean.high:.3f}]"]
        if delta:
            difference = delta.interval
            cells.append(f"{difference.mean:+.4f} [{difference.low:+.3f}, {difference.high:+.3f}]")
            cells.append("" if delta.p_value is None else f"{delta.p_value:.2g}")
        table.add_row(*map(Text, cells))
    contract = "; ".join(
        f"{metric}: " + ", ".join(f"{key} {value}" for key, value in choices.items())
        for metric, choices in report.contract.items()
    )
    table.caption = f"{report.n_empty} lists without a relevant document are left out. {contract}."
    table.caption_justify = "left"
    return table


def ranked_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Rows with equal keys as a table."""
    table = Table(title=Text(title), title_justify="left")
    for key in rows[0]:
        table.add_column(key, justify="left" if isinstance(rows[0][key], str) else "right")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    return table
