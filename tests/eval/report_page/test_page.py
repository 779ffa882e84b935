"""The page in a parser: well-formed, escaped, self-contained, labelled."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from eval.report_page import write_page
from eval.report_page.page import report_html
from tests.eval.report_page.reports import EVIL, GATE, RIGHT_TO_LEFT, calibration_bins, make_report

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and text; each is closed by its own end tag."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.text = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), "no attribute twice"
        self.elements.append((tag, dict(attrs), [parent for parent, _ in self.open]))
        if tag not in _VOID:
            self.open.append((tag, len(self.text)))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), [parent for parent, _ in self.open]))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag
        self.open.pop()

    def handle_data(self, data):
        if not {"style", "script"} & {tag for tag, _ in self.open}:
            self.text.append(data)

    def all(self, tag):
        return [attributes for found, attributes, _ in self.elements if found == tag]


@pytest.fixture(scope="module")
def report():
    report = make_report(lists=400)
    report["gate"] = json.loads(json.dumps(GATE))
    report["settings"]["min_lists"] = 25
    report["notes"] = ["3 queries were left out: the runs do not share them"]
    report["slices"][0]["merged"] = 7
    report["comparisons"]["network"]["changes"]["arp"]["worst"][0]["lists"] = None
    report["calibration"] = {model: calibration_bins() for model in report["models"]}
    return report


@pytest.fixture(scope="module")
def html(report):
    return report_html(report)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def hostile(value, text):
    """The report with this text wherever users' texts go: keys that are names, and texts."""
    report = make_report(
        models=(f"a{value}", f"b{value}"),
        baseline=f"a{value}",
        metrics=("ndcg@10",),
        lists=200,
        slices={f"slice{value}": (f"one{value}", value)},
    )
    report["data"]["sources"][0]["file"] = value
    report["contract"]["ndcg@10"][value] = value
    report["settings"]["unit"] = value
    report["notes"] = [value]
    report["gate"] = {
        "decision": "FAIL",
        "rules": [{"rule": value, "decision": "FAIL", "reason": value, "figures": {}}],
    }
    changes = report["comparisons"][f"b{value}"]["changes"]["ndcg@10"]
    for query in changes["best"] + changes["worst"]:
        query["query_id"], query["text"] = f"q{value}", text
        for document in query["lists"]["model"] + query["lists"]["baseline"]:
            document["id"], document["title"] = value + document["id"], value
    return report


def test_it_needs_nothing_but_itself(html, page):
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"link", "img", "iframe", "object", "base", "form", "embed", "use", "image"}
    for _, attributes, _ in page.elements:
        assert not {name for name in attributes if name.startswith("on")}
        assert not attributes.keys() & {"src", "style", "action"}
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search(r"https?://", html)


def test_the_policy_admits_its_own_style_and_script_only(html, page):
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("value", [EVIL, RIGHT_TO_LEFT, "</style></script>--><!--", "{{ 7 * 7 }}{% raw %}"])
def test_texts_of_users_stay_text(value):
    html = report_html(hostile(value, value))
    page = Page(html)
    assert html.count("<script") == 1
    assert not page.all("img")
    text = "".join(page.text)
    assert text.count(value) > 20, "it is shown as it is"
    for attributes in page.all("bdi"):
        assert attributes.keys() <= {"class", "title"}


def test_users_texts_do_not_turn_the_text_around_them():
    """Right-to-left texts are each in a `bdi`, which isolates them; those of `option` are alone in theirs."""
    html = report_html(hostile(RIGHT_TO_LEFT, RIGHT_TO_LEFT))
    around = re.findall(r"<(\w+)[^<>]*>[^<>]*" + re.escape(RIGHT_TO_LEFT), html)
    assert len(around) > 100
    assert set(around) <= {"bdi", "option", "title"}


def test_text_that_is_no_unicode_can_be_written(report, tmp_path):
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=50)
    report["comparisons"]["b"]["changes"]["ndcg@10"]["best"][0]["text"] = "half \ud800 of a pair"
    write_page(report, tmp_path / "report.html")
    assert "half ? of a pair" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_landmarks_headings_and_captions(page):
    tags = [tag for tag, _, _ in page.elements]
    assert [tags.count(tag) for tag in ("header", "nav", "main", "footer", "h1")] == [1] * 5
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(below <= above + 1 for above, below in pairwise(levels)), "no level is skipped"
    assert tags.count("table") == tags.count("caption")
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
    assert all(link["href"][1:] in ids for link in page.all("a"))
    assert all(head.get("scope") in ("col", "row", "rowgroup") for head in page.all("th"))
    for tag, attributes, parents in page.elements:
        if tag in ("input", "select"):
            assert "label" in parents
        if attributes.get("role") == "region":
            assert attributes.get("aria-label")
            assert attributes["tabindex"] == "0"
    assert all(picture.get("aria-hidden") == "true" or "x" in picture for picture in page.all("svg"))


def test_it_says_what_the_report_says(report, page):
    text = " ".join("".join(page.text).split())
    for rule in GATE["rules"]:
        assert rule["rule"] in text
        assert rule["reason"] in text
    assert "Gate: INCONCLUSIVE" in text
    for source in report["data"]["sources"]:
        assert source["sha256"] in text
    for metric, contract in report["contract"].items():
        assert metric in text
        assert all(value in text for value in contract.values())
    for term in ("95% interval", "p adjusted", "minimum detectable effect", "judged@k"):
        assert term in text
    assert "Calibration" in text
    assert "fewer than 25 lists that have a value" in text
    assert "3 queries were left out" in text
    assert "Of category 7 rarer values are taken together." in text
    assert "The report does not hold its lists." in text
    assert "percentile, poisson bootstrap" in text


def test_what_is_not_there_is_left_out():
    report = make_report(models=("only",), baseline=None, metrics=("ndcg@10",), lists=40, slices={})
    page = Page(report_html(report))
    text = "".join(page.text)
    for word in ("Gate", "Calibration", "Query by query", "Slices\n", "To bear in mind"):
        assert word not in text
    assert not [attributes for _, attributes, _ in page.elements if "data-panels" in attributes]
    assert "only reaches ndcg@10" in text


def test_the_size_is_bounded():
    """A row of a slice takes about a kilobyte, a panel of queries tens of them."""
    slices = {"brand": tuple(f"brand number {at}" for at in range(500))}
    sizes = []
    for named in ({}, slices):
        report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=20_000, slices=named)
        sizes.append(len(report_html(report)))
    assert (sizes[1] - sizes[0]) / 500 < 1500
    assert sizes[0] < 150_000


def test_the_same_report_gives_the_same_page(report, html):
    assert report_html(report) == html


@pytest.mark.parametrize("change", [{"kind": "statistics"}, {"format_version": 2}, {"format_version": None}])
def test_another_kind_of_report_is_refused(report, change):
    with pytest.raises(ValueError, match="report: expected kind 'report' and format_version 1, got"):
        report_html({**report, **change})


def _colours(style, dark):
    light, night = re.search(r":root \{(.*?)\}", style, re.DOTALL), re.search(r"dark\) \{(.*?)\}", style, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#\w{6})", light.group(1)))
    return found | (dict(re.findall(r"--([\w-]+): (#\w{6})", night.group(1))) if dark else {})


def _luminance(colour):
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_have_contrast(dark):
    """4.5 to 1 for text, 3 to 1 for what is drawn (WCAG 2.2, AA)."""
    style = resources.files("eval.report_page").joinpath("templates/style.css").read_text(encoding="utf-8")
    colours = _colours(style, dark)

    def contrast(one, other):
        low, high = sorted(_luminance(colours[name]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    for back in ("paper", "card", "soft", "good-back", "bad-back"):
        for text in ("ink", "dim", "better", "worse"):
            assert contrast(text, back) >= 4.5, (text, back)
    for back in ("paper", "card"):
        for drawn in ("unclear", "focus"):
            assert contrast(drawn, back) >= 3, (drawn, back)
    assert contrast("on", "better") >= 4.5
