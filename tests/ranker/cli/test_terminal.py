"""What commands show."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console
from rich.table import Table

from ranker.cli.terminal import TerminalProgress, ranked_table


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
