"""The page in a real browser: nothing in the console, sorting and filtering, both widths, both schemes, paper."""

import re

import pytest

pytest.importorskip("websockets", reason="the DevTools protocol needs a websocket")

from eval.report_page import write_page
from tests.eval.report_page.browser import CHROMIUM, browser
from tests.eval.report_page.reports import EVIL, GATE, RIGHT_TO_LEFT, beyond, calibration_bins, make_report
from tests.eval.report_page.test_discovery import found

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

SLICES = {"brand": tuple(f"brand {at}" for at in range(50)), "category": ("garden", "Küche", "toys")}
LONG = "unbroken" * 40


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture(scope="module")
def report():
    report = make_report(lists=1500, slices=SLICES)
    report |= beyond(tuple(report["models"]), "bm25", [f"brand {at}" for at in range(12)])
    report["gate"] = GATE
    report["calibration"] = {model: calibration_bins() for model in report["models"]}
    changes = report["comparisons"]["trees"]["changes"]["ndcg@10"]
    changes["best"][0]["text"] = EVIL
    changes["best"][1]["text"] = RIGHT_TO_LEFT
    changes["best"][0]["lists"]["model"][0]["title"] = EVIL
    return report


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(report, path)
    return path


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Pages of a model alone, of models without a baseline, and with names that cannot be broken."""
    folder = tmp_path_factory.mktemp("pages")
    reports = {
        "alone": make_report(models=("only",), baseline=None, metrics=("ndcg@10",), lists=40, slices={}),
        "unnamed": make_report(models=("a", "b"), baseline=None, lists=200),
        "long": make_report(
            models=(LONG, LONG + "2"), baseline=LONG, metrics=("ndcg@10",), lists=200, slices={LONG: (LONG, "b")}
        ),
    }
    for query in reports["long"]["comparisons"][LONG + "2"]["changes"]["ndcg@10"]["best"]:
        query["text"] = query["lists"]["model"][0]["title"] = LONG
    reports["long"]["gate"] = {
        "decision": "FAIL",
        "rules": [{"rule": LONG, "decision": "FAIL", "reason": LONG, "figures": {}}],
    }
    reports["alone"] |= beyond(("only",), None, ["a", "b"])
    reports["long"] |= beyond((LONG, LONG + "2"), LONG, [LONG, "b"])
    reports["long"]["exposure"][0]["name"] = LONG
    reports["long"]["discovery"] = found(LONG, LONG)
    paths = {}
    for name, report in reports.items():
        paths[name] = folder / f"{name}.html"
        write_page(report, paths[name])
    return paths


ROWS = """[...document.querySelectorAll('#slices .panel:not([hidden]) tbody tr:not([hidden])')]
  .map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"""
LINES = """[...document.querySelectorAll('#slices .panel:not([hidden]) .forest [data-row]:not([hidden]) .name')]
  .map((name) => name.innerText.trim())"""
HEADS = """[...document.querySelectorAll('#slices .panel:not([hidden]) thead th')]
  .map((head) => [head.dataset.key, head.getAttribute('aria-sort')])"""


def click_head(tab, key):
    tab.run(f"document.querySelector('#slices .panel:not([hidden]) th[data-key={key}] button').click()")


def sorts(tab):
    return {key: sort for key, sort in tab.run(HEADS) if sort}


def deltas(report, model="trees", metric="ndcg@10"):
    """(slice and value as the page shows them, DELTA) of all slices."""
    parts = report["comparisons"][model]["slices"]
    return {f"{name} {value}": own[metric] for name, values in parts.items() for value, own in values.items()}


def names(rows):
    return [row[0].removesuffix(" few lists") for row in rows]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_complained_of_and_nothing_is_asked_for(tab, path, others, width, scheme):
    for page in (path, *others.values()):
        tab.open(page, width=width, scheme=scheme)
        assert tab.complaints == []
        assert tab.requests == [page.as_uri()]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_is_not_wider_than_its_window(tab, path, others, width):
    for page in (path, *others.values()):
        tab.open(page, width=width)
        tab.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        assert tab.run("document.documentElement.scrollWidth") <= width, page.name
        assert tab.run("window.innerWidth") == width, "a page that is too wide is zoomed out on a phone"


def test_light_and_dark_differ(tab, path):
    back = "getComputedStyle(document.body).backgroundColor"
    seen = []
    for scheme in ("light", "dark"):
        tab.open(path, scheme=scheme)
        seen.append([int(part) for part in re.findall(r"\d+", tab.run(back))])
    assert min(seen[0]) > 240
    assert max(seen[1]) < 40


def test_hostile_texts_are_shown_and_do_not_run(tab, path):
    tab.open(path)
    assert tab.run("document.title") == "Ranking evaluation: bm25, network, trees"
    assert EVIL in tab.run("document.querySelector('#changes').innerText")
    assert tab.run("document.images.length + document.scripts.length") == 1


def test_a_script_that_got_in_would_not_run(tab, path, tmp_path):
    """The content security policy is a second wall behind the escaping."""
    broken = tmp_path / "broken.html"
    broken.write_text(path.read_text().replace("</main>", "<script>document.title='owned'</script></main>"))
    tab.open(broken)
    assert tab.run("document.title") != "owned"
    assert any("Content Security Policy" in complaint for complaint in tab.complaints)


def test_without_scripts_all_tables_and_pictures_are_there(tab, path, report):
    tab.open(path, scripts=False)
    html = tab.call("DOM.getDocument", depth=0)["root"]["nodeId"]

    def visible(selector):
        nodes = tab.call("DOM.querySelectorAll", nodeId=html, selector=selector)["nodeIds"]
        return [node for node in nodes if tab.call("DOM.getBoxModel", nodeId=node)["model"]["height"] > 0]

    assert len(visible("#slices .panel table")) == 6
    assert len(visible("#changes .panel .histogram")) == 6
    assert len(visible("#slices-0 ~ .scroll tbody tr")) == 53
    heads = visible("#slices-0 ~ .scroll thead th")
    assert len(heads) == 15, "the further statistics too"
    controls = tab.call("DOM.querySelectorAll", nodeId=html, selector=".controls")["nodeIds"]
    for node in controls:
        with pytest.raises(AssertionError, match="Could not compute box model"):
            tab.call("DOM.getBoxModel", nodeId=node)


@pytest.mark.parametrize(
    ("key", "figure", "first"),
    [
        ("lists", "lists", "descending"),
        ("delta", "mean", "descending"),
        ("interval", "low", "descending"),
        ("p_adjusted", "p_adjusted", "descending"),
        ("q", "q", "descending"),
        ("effect", "effect", "descending"),
        ("detectable", "detectable", "descending"),
    ],
)
def test_columns_sort_both_ways_and_back(tab, path, report, key, figure, first):
    tab.open(path)
    before = names(tab.run(ROWS))
    assert sorts(tab) == {}
    figures = {name: delta[figure] for name, delta in deltas(report).items()}
    for descending in (True, False):
        click_head(tab, key)
        assert sorts(tab) == {key: "descending" if descending else "ascending"}
        shown = names(tab.run(ROWS))
        assert sorted(shown) == sorted(before)
        rounded = [float(f"{figures[name]:.6g}") for name in shown]
        assert rounded == sorted(rounded, reverse=descending)
        lines = names([[line] for line in tab.run(LINES)])
        assert lines == [name for name in shown if name in lines], "the chart follows the table"
        assert len(lines) == 40
    click_head(tab, key)
    assert sorts(tab) == {}
    assert names(tab.run(ROWS)) == before


def test_names_sort_as_people_read_them(tab, path):
    tab.open(path)
    click_head(tab, "slice")
    assert sorts(tab) == {"slice": "ascending"}
    shown = names(tab.run(ROWS))
    assert shown == [*(f"brand brand {at}" for at in range(50)), "category garden", "category Küche", "category toys"]


def test_rows_without_a_value_come_last(tab, tmp_path):
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10",), lists=300)
    report["comparisons"]["b"]["slices"]["category"]["toys"]["ndcg@10"]["p_adjusted"] = None
    write_page(report, tmp_path / "page.html")
    tab.open(tmp_path / "page.html")
    for _ in range(2):
        click_head(tab, "p_adjusted")
        assert names(tab.run(ROWS))[-1] == "category toys"


def test_sorting_by_keyboard(tab, path):
    tab.open(path)
    tab.run("document.querySelector('#slices .panel:not([hidden]) th[data-key=delta] button').focus()")
    tab.press("Enter")
    assert sorts(tab) == {"delta": "descending"}
    tab.press(" ")
    assert sorts(tab) == {"delta": "ascending"}
    assert tab.run("document.activeElement.closest('th').dataset.key") == "delta", "the focus stays"
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid", "and is seen"


def test_tab_reaches_every_control_in_the_order_of_the_page(tab, path):
    tab.open(path)
    reached = []
    for _ in range(60):
        tab.press("Tab")
        reached.append(tab.run("document.activeElement.dataset.filter ?? document.activeElement.className"))
        if tab.run("document.activeElement.dataset.columns") == "all":
            break
    assert reached[0] == "skip"
    assert [name for name in reached if name in ("text", "significant", "large")] == ["text", "significant", "large"]


def test_the_text_filter(tab, path, report):
    tab.open(path)
    tab.run("document.querySelector('[data-filter=text]').focus()")
    tab.type("KÜche")
    assert names(tab.run(ROWS)) == ["category Küche"]
    assert tab.run("document.querySelector('#slices .status').innerText") == "Showing 1 of 53 slices."
    assert names([[line] for line in tab.run(LINES)]) == ["category Küche"]
    tab.type("no such")
    assert tab.run(ROWS) == []
    assert tab.run("document.querySelector('#slices .status').innerText") == "None of 53 slices is left by the filters."


def test_only_significant_and_hide_small(tab, path, report):
    tab.open(path)
    figures = deltas(report)
    tab.run("document.querySelector('[data-filter=significant]').click()")
    significant = {name for name, delta in figures.items() if delta["p_adjusted"] <= 0.05}
    assert 0 < len(significant) < 53
    assert set(names(tab.run(ROWS))) == significant
    tab.run("document.querySelector('[data-filter=significant]').click()")
    tab.run("document.querySelector('[data-filter=large]').click()")
    assert set(names(tab.run(ROWS))) == {name for name, own in figures.items() if own["lists"] >= 30} != set(figures)


def test_all_statistics_on_request(tab, path):
    tab.open(path)
    shown = """[...document.querySelectorAll('#slices .panel:not([hidden]) thead th')]
      .filter((head) => head.offsetWidth > 0).length"""
    assert tab.run(shown) == 10
    tab.run("document.querySelector('[data-columns]').click()")
    assert tab.run(shown) == 15
    assert tab.run("document.documentElement.scrollWidth") <= 1280


def test_the_choice_of_model_and_metric_holds_for_the_whole_page(tab, path, report):
    tab.open(path)
    panels = "[...document.querySelectorAll('.panel:not([hidden]) > h3')].map((head) => head.innerText)"
    assert tab.run(panels) == ["trees against bm25, ndcg@10"] * 2
    click_head(tab, "delta")
    tab.run("document.querySelector('[data-filter=text]').value = 'brand'")
    choose = "(() => {{ const s = document.querySelectorAll('[data-choice={0}]')[{1}]; s.value = '{2}';"
    choose += " s.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    tab.run(choose.format("model", 1, 1))
    tab.run(choose.format("metric", 0, 2))
    assert tab.run(panels) == ["network against bm25, arp"] * 2
    values = "[...document.querySelectorAll('[data-choice]')].map((select) => select.value)"
    assert tab.run(values) == ["1", "2", "1", "2"]
    shown = names(tab.run(ROWS))
    assert len(shown) == 50, "the filter stays"
    means = [deltas(report, "network", "arp")[name]["mean"] for name in shown]
    assert means == sorted(means, reverse=True), "so does the order"


def test_a_choice_without_changes_says_so(tab, tmp_path):
    report = make_report(models=("a", "b"), baseline="a", metrics=("ndcg@10", "arp"), lists=100)
    del report["comparisons"]["b"]["changes"]["arp"]
    write_page(report, tmp_path / "page.html")
    tab.open(tmp_path / "page.html")
    none = "document.querySelector('#changes .none').offsetHeight > 0"
    assert tab.run(none) is False
    tab.run("""(() => { const s = document.querySelector('[data-choice=metric]'); s.value = '1';
      s.dispatchEvent(new Event('change')); })()""")
    assert tab.run(none) is True


def test_queries_open_by_keyboard(tab, path):
    tab.open(path)
    summary = "document.querySelectorAll('.panel:not([hidden]) .query > summary')[1]"
    assert tab.run(f"{summary}.parentElement.open") is False
    tab.run(f"{summary}.focus()")
    tab.press("Enter")
    assert tab.run(f"{summary}.parentElement.open") is True
    assert tab.run(f"{summary}.parentElement.querySelectorAll('table')[1].offsetHeight") > 100


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_lists_are_side_by_side_where_there_is_room(tab, path, width, beside):
    tab.open(path, width=width)
    tops = """[...document.querySelector('.query[open] .lists').querySelectorAll('table')]
      .map((table) => table.getBoundingClientRect().top)"""
    first, second = tab.run(tops)
    assert (first == second) is beside


def test_pictures_have_no_text_over_text(tab, path):
    """The numbers of an axis do not run into each other, on a phone neither."""
    overlaps = """[...document.querySelectorAll('svg')].flatMap((svg) => {
      const boxes = [...svg.querySelectorAll('text')].map((text) => text.getBoundingClientRect());
      return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => a.width && b.width && a.left < b.right
        && b.left < a.right && a.top < b.bottom && b.top < a.bottom).map(() => svg.outerHTML));
    })"""
    for width in (390, 1280):
        tab.open(path, width=width)
        assert tab.run(overlaps) == []


def test_paper(tab, path):
    """All that can be opened is open on paper, and closed again afterwards; the choice of panels stays."""
    tab.open(path)
    closed = "document.querySelectorAll('details:not([open])').length"
    before = tab.run(closed)
    tab.run(f"window.addEventListener('beforeprint', () => {{ window.leftClosed = {closed}; }})")
    pdf = tab.pdf()
    assert pdf.startswith(b"%PDF")
    assert tab.run("window.leftClosed") == 0
    assert tab.run(closed) == before > 0
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert 5 < pages < 25
    tab.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert min(int(part) for part in re.findall(r"\d+", tab.run("getComputedStyle(document.body).color"))) < 60
    assert tab.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    tab.call("Emulation.setEmulatedMedia", media="")
