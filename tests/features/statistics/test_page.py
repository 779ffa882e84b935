"""The page of statistics, in a parser and in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from features.statistics.anomalies import Anomaly
from features.statistics.comparison import Comparison
from features.statistics.distances import Distance
from features.statistics.page import statistics_page

EVIL = '"><script>document.title = "owned"</script>&amp;'
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes, text, and whether each is closed by its own end tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for found, attributes in self.elements if found == tag and name in attributes]


@pytest.fixture(scope="module")
def splits(summarise, rows):
    """Training lists, those of another split with hostile values, and a split without lists."""
    other = rows(2, 80, start=500)
    for row in other:
        row["brand"] = [EVIL] * len(row["brand"])
        row["country"] = EVIL
    return [summarise(rows(1, 200)), summarise(other, "valid"), summarise([], "test")]


@pytest.fixture(scope="module")
def html(splits):
    comparisons = [
        Comparison("valid", "price", None, "drift", "Kolmogorov-Smirnov distance", Distance(0.4321, 0.0), 0.1, ""),
        Comparison("valid", "clicks", None, "drift", "Kolmogorov-Smirnov distance", Distance(0.05, 0.0), 0.1, ""),
        Comparison("valid", "image", 2, "drift", "Kolmogorov-Smirnov distance", Distance(0.2345, 0.0), 0.1, ""),
    ]
    anomalies = [
        Anomaly("valid", "price", "drift", "fail", f"price drifts {EVIL}"),
        Anomaly("valid", "image", "drift", "warn", "image drifts"),
    ]
    return statistics_page(f"Of {EVIL}", splits, comparisons, anomalies)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_it_needs_nothing_but_itself(html, page):
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "object", "base", "form"}
    for _, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on")}
        assert not attributes.keys() & {"src", "href"}
    assert "url(" not in html
    assert "@import" not in html


def test_names_and_values_of_users_stay_text(html, page):
    assert "<script" not in html
    assert EVIL in "".join(page.text), "it is shown as it is"
    assert EVIL in page.attributes("span", "title")
    assert f"price drifts {EVIL}" in page.attributes("div", "title")


def test_every_column_and_every_split_is_there(page, splits):
    text = " ".join("".join(page.text).split())
    for column in splits[0].columns:
        assert column.measured.name in text
    heads = [part.strip() for part in page.text]
    for split in splits:
        assert heads.count(split.name) >= 4, "once in each table"
    assert f"{splits[0].documents:,}" in text


def test_pictures_are_paths_that_a_browser_draws(page):
    paths = page.attributes("path", "d")
    assert len(paths) > 20
    bar = r"M-?[\d.]+ 44v-[\d.]+h[\d.]+v[\d.]+z"
    assert all(re.fullmatch(rf"({bar})+", path) for path in paths)
    assert all(max(float(height) for height in re.findall(r"v-([\d.]+)", path)) == 44 for path in paths)


def test_anomalies_are_listed_and_marked(page):
    classes = page.attributes("tr", "class")
    assert sorted(classes) == ["fail", "warn"]
    assert sorted(page.attributes("li", "class")) == ["fail", "warn"]
    beyond = [attributes for tag, attributes in page.elements if attributes.get("class") == "chip beyond"]
    assert len(beyond) == 2
    assert "distance 0.432" in page.text
    assert "distance 0.050" in page.text, "what is within its limit is shown too"


def test_without_anomalies_it_says_so(splits):
    assert "None." in Page(statistics_page("Statistics", splits[:1], [], [])).text


def test_of_a_very_wide_vector_the_worst_components_are_shown(splits):
    """Of 1,000 components 24, by falling distance, whatever their order."""
    from dataclasses import replace

    train = splits[0]
    image = train.column("image")
    column = replace(image.measured.column, width=1000)
    wide = replace(image, measured=replace(image.measured, column=column), components=image.components[:1] * 1000)
    pages = [replace(train, name=name, columns=(wide,)) for name in ("train", "valid")]
    order = np.random.default_rng(0).permutation(1000)
    comparisons = [
        Comparison("valid", "image", int(at) + 1, "drift", "distance", Distance(float(rank) / 1000, 1.0), 0.1, "")
        for rank, at in enumerate(order)
    ]
    html = statistics_page("Wide", pages, comparisons, [])
    names = re.findall(r"image_(\d+)", html)
    assert names == [str(at + 1) for at in order[::-1][:24]]
    assert len(html) < 100_000


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_shows_it(html, tmp_path):
    """Nothing of the values runs, and the page is not wider than its window: tables scroll in their frames."""
    check = (
        "<script>document.title = [document.title === document.querySelector('h1').textContent, "
        "document.documentElement.scrollWidth <= window.innerWidth, "
        "document.querySelectorAll('svg path').length > 20].join()</script></body>"
    )
    (tmp_path / "checked.html").write_text(html.replace("</body>", check))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=900,800", "--dump-dom"]
    done = subprocess.run(
        [*command, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "checked.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "<title>true,true,true</title>" in done.stdout, done.stdout[:500] + done.stderr[-500:]
