"""Numbers as text."""

import pytest

from eval.report_page import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.0000"),
        (0.43215, "0.4321"),
        (-0.5, "−0.5000"),
        (-0.00001, "0.0000"),
        (99.99994, "99.9999"),
        (1234.5, "1,234.50"),
    ],
)
def test_number(value, text):
    assert figures.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.0123, "+0.0123"), (-0.0123, "−0.0123"), (0.0, "0.0000"), (0.00001, "0.0000")]
)
def test_signed(value, text):
    assert figures.signed(value) == text


def test_decimals_can_be_asked_for():
    assert figures.signed(0.256, 2) == "+0.26"
    assert figures.number(-1.0, 1) == "−1.0"


def test_intervals_need_both_ends():
    assert figures.interval(0.1, 0.25) == "0.1000 to 0.2500"
    assert figures.interval(-0.1, 0.25, sign=True) == "−0.1000 to +0.2500"
    assert figures.interval(None, 0.25) == figures.interval(0.1, None) == "–"


def test_small_p_values_are_bounds():
    assert [figures.p_value(p) for p in (None, 0.0, 1 / 1001, 0.001, 0.05, 1.0)] == [
        "–",
        "< 0.001",
        "< 0.001",
        "0.001",
        "0.050",
        "1.000",
    ]


def test_shares_and_counts():
    assert [figures.share(part) for part in (None, 0, 0.0004, 0.0312, 1)] == ["–", "0%", "< 0.1%", "3.1%", "100.0%"]
    assert [figures.count(number) for number in (None, 0, 12345)] == ["–", "0", "12,345"]
