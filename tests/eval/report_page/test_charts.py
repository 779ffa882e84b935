"""Pictures, read back from their SVG."""

from xml.etree import ElementTree

import pytest

from eval.report_page import charts
from eval.report_page.axis import Axis


def elements(picture, tag, kind=""):
    """Of a picture: the elements of a tag whose class has this word."""
    found = ElementTree.fromstring(str(picture)).iter(tag)
    return [element for element in found if not kind or kind in element.get("class", "").split()]


def percent(text):
    assert text.endswith("%")
    return float(text[:-1])


AXIS = Axis(-1.0, 1.0)


def test_a_line_of_the_forest_is_where_the_figures_are():
    line = charts.forest_row(AXIS, {"mean": 0.0, "low": -0.5, "high": 0.5}, "better", reference=0.25)
    (interval,) = elements(line, "line", "interval")
    (mark,) = elements(line, "circle")
    (zero,) = elements(line, "line", "zero")
    (reference,) = elements(line, "line", "reference")
    assert (percent(interval.get("x1")), percent(interval.get("x2"))) == (26.5, 73.5)
    assert percent(mark.get("cx")) == percent(zero.get("x1")) == 50
    assert percent(reference.get("x1")) == 61.75
    assert "better" in mark.get("class")
    assert not elements(line, "path")


@pytest.mark.parametrize(("low", "high", "arrows"), [(-2, 0.5, 1), (-0.5, 2, 1), (-2, 2, 2), (-1, 1, 0)])
def test_an_interval_that_is_cut_has_arrows(low, high, arrows):
    line = charts.forest_row(AXIS, {"mean": 0.0, "low": low, "high": high}, "unclear")
    assert len(elements(line, "path", "arrow")) == arrows
    (interval,) = elements(line, "line", "interval")
    assert 0 < percent(interval.get("x1")) < percent(interval.get("x2")) < 100


def test_a_line_without_figures_has_the_zero_only():
    line = charts.forest_row(AXIS, {"mean": None, "low": None, "high": None}, "unclear")
    assert [element.get("class") for element in elements(line, "line")] == ["zero"]
    assert not elements(line, "circle")
    assert charts.forest_row(AXIS, {}, "unclear") == line


def test_the_line_of_all_lists_has_a_diamond():
    line = charts.forest_row(AXIS, {"mean": 0.1, "low": 0.0, "high": 0.2}, "plain", whole=True)
    assert len(elements(line, "path", "mark")) == 1
    assert not elements(line, "circle")


def test_more_lists_make_a_larger_mark():
    radii = [
        float(elements(charts.forest_row(AXIS, {"mean": 0.0}, "better", weight=weight), "circle")[0].get("r"))
        for weight in (0.0, 0.25, 1.0)
    ]
    assert radii == [2.5, 4.0, 5.5]


@pytest.mark.parametrize("direction", [1, -1])
def test_bars_are_as_high_as_their_counts_and_coloured_by_side(direction):
    picture = charts.histogram([-0.3, -0.1, 0.1, 0.3], [10, 40, 20], direction)
    bars = elements(picture, "rect")
    heights = [float(bar.get("height")) for bar in bars]
    assert heights == pytest.approx([150 / 4, 150, 150 / 2], abs=0.1)
    sides = ["worse", "unclear", "better"][::direction]
    assert [bar.get("class").split()[1] for bar in bars] == sides
    lefts = [percent(bar.get("x")) for bar in bars]
    assert lefts == pytest.approx([3, 3 + 94 / 3, 3 + 2 * 94 / 3], abs=0.01)
    assert bars[2].findtext("title") == "0.1000 to 0.3000: 20 queries"
    assert len({float(bar.get("y")) + float(bar.get("height")) for bar in bars}) == 1, "all stand on one base"


def test_one_bar_for_changes_that_are_all_equal():
    picture = charts.histogram([0.0, 0.0], [5])
    assert len(elements(picture, "rect")) == 1


def test_bars_of_labels():
    rows = charts.bars({"0": 30, "1": 10})
    assert [(row["name"], row["count"], row["share"]) for row in rows] == [("0", "30", "75.0%"), ("1", "10", "25.0%")]
    widths = [percent(elements(row["bar"], "rect")[0].get("width")) for row in rows]
    assert widths == [100, 33.33]
    assert charts.bars({}) == []
    assert charts.bars({"0": 0})[0]["share"] == "0%"


def test_lengths_are_in_order():
    picture = charts.lengths({"min": 1, "quartile1": 5, "median": 9, "quartile3": 20, "max": 50})
    (box,) = elements(picture, "rect")
    (median,) = elements(picture, "line", "median")
    (whisker,) = elements(picture, "line", "whisker")
    left, right = percent(box.get("x")), percent(box.get("x")) + percent(box.get("width"))
    assert percent(whisker.get("x1")) < left < percent(median.get("x1")) < right < percent(whisker.get("x2"))


def test_lengths_that_are_all_equal():
    picture = charts.lengths(dict.fromkeys(("min", "quartile1", "median", "quartile3", "max"), 10))
    assert percent(elements(picture, "rect")[0].get("width")) == 0


def test_calibration_rises_where_labels_do():
    bins = [{"score": float(at), "label": label, "low": None, "high": None} for at, label in enumerate((0.1, 0.5, 0.3))]
    picture = charts.calibration(bins)
    marks = elements(picture, "circle")
    xs, ys = ([float(mark.get(name).rstrip("%")) for mark in marks] for name in ("cx", "cy"))
    assert xs == sorted(xs)
    assert ys[1] < ys[2] < ys[0], "up is less in SVG"
    assert len(elements(picture, "line", "way")) == 2
    assert not elements(picture, "line", "interval")
