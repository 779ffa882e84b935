"""The section `validation`."""

from __future__ import annotations

import pytest

from ranker.spec import Validation


def with_checks(text: str, checks: str) -> str:
    return f"{text}validation: {checks}\n"


def test_without_it_everything_is_checked_and_warned_of(load):
    checks = load().validation
    assert checks == Validation()
    actions = {checks.action_for("price", check) for check in ("drift", "missing", "unseen", "constant")}
    assert actions == {"warn"}


def test_the_action_of_a_column_goes_before_that_of_the_check(load, text):
    checks = load(
        with_checks(text, "{drift: {action: fail}, columns: {price: {action: ignore}, title: {drift: 0.5}}}")
    ).validation
    assert checks.action_for("price", "drift") == "ignore"
    assert checks.action_for("title", "drift") == "fail"
    assert checks.action_for("title", "missing") == "warn"


@pytest.mark.parametrize("column", ["query", "segment", "title", "price", "label", "list_length"])
def test_what_can_be_named(load, text, column):
    assert column in load(with_checks(text, f"{{columns: {{{column}: {{drift: 0.5}}}}}}")).validation.columns


@pytest.mark.parametrize(
    ("checks", "fault"),
    [
        ("{columns: {prize: {drift: 0.5}}}", "no column 'prize'; there are ['query', 'segment', 'title', 'price', "),
        ("{columns: {weight: {drift: 0.5}}}", "no column 'weight'; there are "),
        ("{columns: {price: {}}}", "expected at least one of drift, missing, unseen, action"),
        ("{columns: {title: {unseen: 0.5}}}", "title: only numbers and categories have unseen values"),
        ("{columns: {list_length: {unseen: 0.5}}}", "list_length: only numbers and categories have unseen values"),
        ("{columns: {price: {drifts: 0.5}}}", "unknown key; did you mean 'drift'?"),
        ("{drift: {numbers: 1.5}}", "Input should be less than or equal to 1"),
        ("{drift: {action: warm}}", "Input should be 'warn', 'fail' or 'ignore'"),
        ("{confidence: 1}", "Input should be less than 1"),
        ("{constant: {most: 1}}", "unknown key"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(faults, text, checks, fault):
    [line] = faults(with_checks(text, checks))
    assert line.startswith(f"ranker.yaml:{text.count(chr(10)) + 1}: validation.")
    assert fault in line
