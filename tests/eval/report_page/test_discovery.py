"""The section of slices that were found."""

from eval.report_page.discovery import discovery_part
from eval.report_page.page import report_html
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import EVIL, make_report


def found(name="category", value="garden"):
    """Two slices that lose, and a search that found none."""
    rows = [
        {
            "name": f"{name}: {value}",
            "conditions": {name: value, "device": "phone"} if at else {name: value},
            "lists": 1200 - at,
            "mean": -0.12,
            "others": 0.01,
            "effect": -0.5,
            "bound": -0.04,
            "p_adjusted": 0.0004,
        }
        for at in range(2)
    ]
    search = {
        "metric": "ndcg@10",
        "model": "trees",
        "baseline": "bm25",
        "slices": 1961,
        "depth": 2,
        "lists": 1170,
        "min_lists": 30,
        "significant": 9,
        "detectable": 0.19,
        "found": rows,
    }
    none = {**search, "baseline": None, "significant": 0, "found": []}
    return {"alpha": 0.05, "features": [name, "device"], "left_out": {"title": "a text"}, "searches": [search, none]}


def test_searches_are_told_in_words_and_figures():
    report = {**make_report(lists=60), "discovery": found()}
    part = discovery_part(Reading(report))
    assert part.panels[0].columns == ("Lists", "Difference", "Elsewhere", "At least", "p adjusted")
    assert part.panels[1].columns[1:4] == ("Mean", "Elsewhere", "Gap at least")
    assert part.panels[0].rows[1].conditions == (("category", "garden"), ("device", "phone"))
    assert part.panels[0].rows[0].cells == ("1,200", "−0.1200", "+0.0100", "−0.0400", "< 0.001")
    page = report_html(report)
    section = page[page.index('<section id="found"') : page.index('<section id="changes"')]
    assert '<a href="#found">' in page
    assert "over all searches, with a probability of at most 5%" in section
    assert "only as far as they overlap with these: 7." in section
    assert "None found among 1,961 slices of at least 30 lists." in section
    assert "worse by 0.190 would have been found four times out of five" in section
    assert "<bdi>title</bdi> (a text)" in section
    assert section.count("<table") == 1


def test_names_are_escaped():
    page = report_html({**make_report(lists=60), "discovery": found(EVIL, EVIL)})
    assert EVIL not in page
    assert page.count("<script") == 1


def test_a_report_without_has_no_section():
    for report in (make_report(lists=60), {**make_report(lists=60), "discovery": None}):
        assert discovery_part(Reading(report)) is None
        assert 'id="found"' not in report_html(report)


def test_a_search_without_features_says_so():
    empty = {"alpha": 0.05, "features": [], "left_out": {}, "searches": []}
    assert "None looked for: no feature tells lists apart." in report_html(
        {**make_report(lists=60), "discovery": empty}
    )


def test_what_is_detectable_may_not_be_known():
    told = found()
    told["searches"][1]["detectable"] = None
    assert "would have been found" not in report_html({**make_report(lists=60), "discovery": told})
