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
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from eval.report.data import Delta, Figure, Gate, Report

__all__ = ["TerminalProgress", "gate_table", "load_tensorflow", "metric_table", "ranked_table"]


class TerminalProgress:
    """Shows the stage under way with a bar, its rate and the time left, and each finished one with its wall time."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)

    @contextmanager
    def stage(self, what: str) -> Iterator[_Stage]:
        """Show `what` while the block runs."""
        started = time.perf_counter()
        parts = SpinnerColumn(), _Text("what"), _Bar(bar_width=20), _Text("note", "dim"), _Left()
        hidden = not self.console.is_terminal
        with RichProgress(*parts, console=self.console, transient=True, disable=hidden) as bar:
            stage = _Stage(bar, what, started)
            yield stage
        seconds = f"{time.perf_counter() - started:.1f} s"
        told = Text.assemble(("✓", "green"), f" {what} ", (stage.note, "dim"), " ", (seconds, "cyan"))
        self.console.print(told, soft_wrap=True)


class _Stage:
    def __init__(self, bar: RichProgress, what: str, started: float) -> None:
        self._bar, self._started = bar, started
        self._task = bar.add_task("", total=None, what=what, note="")
        self.note = ""

    def count(self, done: int, of: str, total: int | None = None, note: str = "") -> None:
        rate = done / max(time.perf_counter() - self._started, 1e-9)
        self._show(done, total, f"{done:,} {of}, {rate:,.0f} a second{', ' * bool(note)}{note}")

    def update(self, done: int, total: int, note: str = "") -> None:
        self._show(done, total, f"{done}/{total} {note}")

    def _show(self, done: int, total: int | None, note: str) -> None:
        self.note = note
        self._bar.update(self._task, completed=done, total=total, note=note)


class _Text(ProgressColumn):
    """A field of the task, as it is: rich's own column reads markup in it."""

    def __init__(self, field: str, style: str = "") -> None:
        super().__init__()
        self._field, self._style = field, style

    def render(self, task: Task) -> Text:
        return Text(task.fields[self._field], self._style)


class _Bar(BarColumn):
    """Nothing where the end is not known; the spinner turns there."""

    def render(self, task: Task) -> Any:
        return Text() if task.total is None else super().render(task)


class _Left(TimeRemainingColumn):
    """The time left, where the end is known."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


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
    confidence = f"[{report['settings']['confidence']:.0%} interval]"
    data, baseline = report["data"], report["baseline"]
    title = f"{data['queries']} test lists, {data['documents']} documents"
    table = Table(title=title, title_justify="left")
    table.add_column("metric", overflow="fold")
    table.add_column("model")
    table.add_column(Text(f"mean {confidence}"), justify="right")
    if baseline is not None:
        table.add_column(Text(f"minus {baseline} {confidence}"), justify="right")
        table.add_column("p", justify="right")
    for metric in report["contract"]:
        for model, found in report["models"].items():
            cells = [metric, model, _figure(found["overall"][metric])]
            if model in report["comparisons"]:
                delta = report["comparisons"][model]["overall"][metric]
                cells += [_figure(delta, "+"), "" if delta["p_t"] is None else f"{delta['p_t']:.2g}"]
            table.add_row(*map(Text, cells))
    contract = "; ".join(
        f"{metric}: " + ", ".join(f"{key} {value}" for key, value in choices.items())
        for metric, choices in report["contract"].items()
    )
    table.caption = Text(f"{data['empty']} lists have no relevant document. {contract}.")
    table.caption_justify = "left"
    return table


def _figure(figure: Figure | Delta, sign: str = "") -> str:
    """A mean with its interval, where there is one."""
    mean, low, high = figure["mean"], figure["low"], figure["high"]
    if mean is None:
        return "none"
    interval = "" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
    return f"{mean:{sign}.4f}{interval}"


def gate_table(gate: Gate) -> Table:
    """What became of each rule, and why."""
    table = Table(title=f"gate: {gate['decision']}", title_justify="left")
    for column in ("rule", "decision", "reason"):
        table.add_column(column)
    for rule in gate["rules"]:
        table.add_row(*map(Text, (rule["rule"], rule["decision"], rule["reason"])))
    return table


def ranked_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Rows with equal keys as a table."""
    table = Table(title=Text(title), title_justify="left")
    for key in rows[0]:
        table.add_column(key, justify="left" if isinstance(rows[0][key], str) else "right")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    return table
