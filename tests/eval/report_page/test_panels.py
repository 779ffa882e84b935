"""What a reader chooses between."""

from eval.report_page.panels import choices, panel_keys
from eval.report_page.reading import Reading
from tests.eval.report_page.reports import make_report


def test_the_leader_comes_first():
    choice = choices(Reading(make_report(lists=200)))
    assert choice.models == ("trees", "network")
    assert list(panel_keys(choice))[:4] == [
        ("trees", "ndcg@10"),
        ("trees", "mrr@10"),
        ("trees", "arp"),
        ("network", "ndcg@10"),
    ]


def test_without_a_baseline_all_models():
    assert choices(Reading(make_report(models=("a", "b", "c"), baseline=None, lists=200))).models == ("c", "a", "b")
