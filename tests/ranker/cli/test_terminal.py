"""What commands show."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console
from rich.table import Table

from ranker.cli.terminal import TerminalProgress, gate_table, metric_table, ranked_table


def shown(table: Table) -> str:
    file = io.StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=120, highlight=False)


def test_a_finished_stage_is_told_with_its_last_note_and_time(console):
    with TerminalProgress(console).stage("train net") as stage:
        stage.update(1, 3, "ndcg@10 0.1")
        stage.update(3, 3, "ndcg@10 0.9")
    [line] = console.file.getvalue().splitlines()
    assert line.startswith("✓ train net")
    assert "3/3 ndcg@10 0.9" in line
    assert line.endswith(" s")


def test_a_count_is_told_with_its_rate(console):
    with TerminalProgress(console).stage("read") as stage:
        stage.count(1_000, "rows", note="3 set aside")
        stage.count(2_000, "rows", 4_000)
        assert stage.note.startswith("2,000 rows, ")
        stage.count(3_000, "rows", note="3 set aside")
    [line] = console.file.getvalue().splitlines()
    assert re.match(r"✓ read 3,000 rows, [\d,]+ a second, 3 set aside +[\d.]+ s$", line)


def test_a_terminal_shows_how_far_a_stage_is():
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    with TerminalProgress(console).stage("[b]read") as stage:
        for done in (1_000, 2_000, 3_000):
            stage.count(done, "rows", 4_000)
            time.sleep(0.3)
    shown = console.file.getvalue()
    assert "[b]read" in shown
    assert "2,000 rows" in shown
    assert "0:00:0" in shown, "the time left"


def test_a_stage_that_fails_is_not_told_as_done(console):
    with pytest.raises(ZeroDivisionError), TerminalProgress(console).stage("train net"):
        _ = 1 / 0
    assert "✓" not in console.file.getvalue()


def test_ranked_rows_keep_their_order_and_values():
    text = shown(ranked_table("query 'hat'", [{"rank": 1, "id": "b"}, {"rank": 2, "id": "a"}]))
    assert text.index("query 'hat'") < text.index("rank") < text.index("1") < text.index("2")
    assert text.index(" b ") < text.index(" a ")


BRACKETS = ["[bold]hat[/bold]", "[/]", "[red]"]


@pytest.mark.parametrize("text", BRACKETS)
def test_brackets_in_cells_are_shown_as_they_are(text):
    """To rich they are markup, and a lone closing bracket an error."""
    assert text in shown(ranked_table("query", [{"title": text}]))


@pytest.mark.parametrize("text", BRACKETS)
def test_brackets_in_stages_and_titles_are_shown_as_they_are(console, text):
    with TerminalProgress(console).stage(f"load {text}") as stage:
        stage.update(1, 1, text)
    assert f"load {text} 1/1 {text}" in console.file.getvalue()
    assert text in shown(ranked_table(text, [{"title": "a hat, wider than the title"}]))


def test_figures_and_differences_are_shown_as_far_as_there_are_any():
    figure = {"mean": 0.5, "low": 0.4, "high": 0.6, "lists": 9, "empty": 1, "tied": 0}
    none = {"mean": None, "low": None, "high": None, "lists": 0, "empty": 9, "tied": 0}
    delta = {"mean": 0.25, "low": None, "high": None, "p_t": 0.0123}
    report = {
        "settings": {"confidence": 0.9},
        "data": {"queries": 10, "documents": 99, "empty": 1},
        "baseline": "[red]",
        "contract": {"ndcg@10": {"ties": "average"}},
        "models": {
            "[red]": {"overall": {"ndcg@10": figure}},
            "other": {"overall": {"ndcg@10": none}},
        },
        "comparisons": {"other": {"overall": {"ndcg@10": delta}}},
    }
    text = " ".join(shown(metric_table(report)).split())
    for part in (
        "10 test lists, 99 documents",
        "minus [red] [90% interval]",
        "0.5000 [0.400, 0.600]",
        "none",
        "+0.2500 │",
    ):
        assert part in text
    assert "0.012" in text
    assert "1 lists have no relevant document." in text
    assert "ndcg@10: ties average" in text


def test_a_gate_is_shown_with_its_reasons():
    rules = [
        {"rule": "[b] not below", "decision": "FAIL", "reason": "the interval [0.1, 0.2] lies below", "figures": {}}
    ]
    text = " ".join(shown(gate_table({"decision": "FAIL", "rules": rules})).split())
    assert "gate: FAIL" in text
    assert "[b] not below │ FAIL │ the interval [0.1, 0.2] lies below" in text
