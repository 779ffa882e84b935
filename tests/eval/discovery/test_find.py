"""Planted slices are found, and nothing is where nothing is: error rates by simulation, p-values by enumeration."""

import dataclasses
import math

import numpy as np
import pyarrow as pa
import pytest

from eval.discovery import Feature, Search, find, find_slices

QUICK = Search(draws=99, min_lists=20)


def ids(count):
    return np.array([f"q{number}" for number in range(count)], dtype=object)


@dataclasses.dataclass
class Lists:
    """Features of lists of which some hang together."""

    country: np.ndarray
    device: np.ndarray
    tags: np.ndarray
    age: np.ndarray

    @classmethod
    def draw(cls, random, count):
        country = random.choice(["de", "fr", "it", "us"], size=count, p=[0.4, 0.3, 0.2, 0.1])
        device = np.where(random.random(count) < 0.7, np.where(country == "us", "phone", "desk"),
                          random.choice(["phone", "desk", "tv"], size=count))  # fmt: skip
        return cls(country, device, random.random((count, 3)) < [0.5, 0.2, 0.1], random.normal(size=count))

    @property
    def features(self):
        tags = [[name for name, there in zip("klm", row, strict=True) if there] for row in self.tags.tolist()]
        return [
            Feature.of_texts("country", pa.array(self.country)),
            Feature.of_texts("device", pa.array(self.device)),
            Feature.of_texts("tags", pa.array(tags, pa.list_(pa.string()))),
            Feature.of_numbers("age", self.age),
        ]


def names(found):
    return [finding.name for finding in found.findings]


MODES = ["zero", "others"]


@pytest.mark.parametrize("against", MODES)
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (lambda lists: lists.device == "tv", ["device: tv"]),
        (lambda lists: (lists.country == "it") & (lists.device == "phone"), ["country: it and device: phone"]),
        (lambda lists: lists.tags[:, 1] & (lists.country == "de"), ["country: de and tags: l"]),
        (lambda lists: lists.age >= np.quantile(lists.age, 0.875), None),
        (lambda lists: (lists.age < np.quantile(lists.age, 0.5)) & lists.tags[:, 2], None),
    ],
)
def test_a_planted_slice_is_found_and_nothing_else(against, where, expected):
    for seed in range(3):
        random = np.random.default_rng(seed)
        lists = Lists.draw(random, 4000)
        planted = where(lists)
        values = random.standard_t(5, size=4000) * 0.1 - 0.1 * planted
        found = find_slices(values, lists.features, ids(4000), against, search=QUICK)
        assert len(found.findings) == 1
        assert expected is None or names(found) == expected
        finding = found.findings[0]
        assert finding.lists == pytest.approx(planted.sum(), abs=2)
        assert finding.mean == pytest.approx(values[planted].mean(), abs=0.01)
        assert finding.others == pytest.approx(values[~planted].mean(), abs=0.01)
        assert -0.13 < finding.mean < finding.bound
        assert -0.1 < finding.bound < 0
        assert finding.effect == pytest.approx(-0.1 / 0.129, abs=0.3)
        assert finding.p_adjusted == 0.01
        assert found.significant >= 1


@pytest.mark.parametrize("against", MODES)
def test_several_planted_slices(against):
    random = np.random.default_rng(4)
    lists = Lists.draw(random, 6000)
    values = random.normal(size=6000) * 0.1
    values -= 0.1 * (lists.device == "tv") + 0.06 * (lists.country == "fr") * lists.tags[:, 0]
    found = find_slices(values, lists.features, ids(6000), against, search=QUICK)
    assert names(found) == ["device: tv", "country: fr and tags: k"]


def test_a_part_that_is_worse_than_the_rest_of_its_slice_is_found_too():
    random = np.random.default_rng(5)
    lists = Lists.draw(random, 6000)
    values = random.normal(size=6000) * 0.1 - 0.03 * (lists.country == "de")
    values -= 0.12 * (lists.country == "de") * (lists.device == "tv")
    found = find_slices(values, lists.features, ids(6000), search=QUICK)
    assert names(found) == ["country: de and device: tv", "country: de"]


def test_what_two_parts_explain_is_dropped_again():
    """Both parts of a slice are bad, together two thirds of it: the slice has the largest statistic at first."""
    search = dataclasses.replace(QUICK, least_effect=0)
    for seed in range(4):
        random = np.random.default_rng([6, seed])
        one, two = random.choice(list("abc"), size=9000), random.choice(list("xyz"), size=9000)
        values = random.normal(size=9000) * 0.1 - 0.06 * (one == "a") * (two != "z")
        features = [Feature.of_texts("one", pa.array(one)), Feature.of_texts("two", pa.array(two))]
        found = find_slices(values, features, ids(9000), search=search)
        assert sorted(names(found)) == ["one: a and two: x", "one: a and two: y"]


@pytest.mark.parametrize("against", MODES)
def test_a_model_that_is_worse_everywhere_has_no_bad_slice(against):
    """That it is worse is no news of a slice; one that is worse still is."""
    random = np.random.default_rng(7)
    lists = Lists.draw(random, 3000)
    values = random.normal(size=3000) * 0.1 - 0.05
    assert find_slices(values, lists.features, ids(3000), against, search=QUICK).findings == ()
    values -= 0.1 * (lists.device == "tv")
    assert names(find_slices(values, lists.features, ids(3000), against, search=QUICK)) == ["device: tv"]


def test_less_of_a_gain_is_no_loss():
    random = np.random.default_rng(7)
    lists = Lists.draw(random, 3000)
    values = random.normal(size=3000) * 0.1 + 0.2 - 0.15 * (lists.device == "tv")
    assert find_slices(values, lists.features, ids(3000), search=QUICK).findings == ()
    assert names(find_slices(values, lists.features, ids(3000), "others", search=QUICK)) == ["device: tv"]


def test_small_effects_are_reported_on_request():
    random = np.random.default_rng(8)
    lists = Lists.draw(random, 20_000)
    values = random.normal(size=20_000) * 0.1 - 0.008 * (lists.country == "de") - 0.05 * (lists.device == "tv")
    assert names(find_slices(values, lists.features, ids(20_000), search=QUICK)) == ["device: tv"]
    small = dataclasses.replace(QUICK, least_effect=0.01)
    assert names(find_slices(values, lists.features, ids(20_000), search=small)) == ["device: tv", "country: de"]


def no_findings(draw, against, samples, count, clusters=None):
    """How often there is any finding where there is nothing to find."""
    search, any_found = Search(draws=99, min_lists=15, least_effect=0), 0
    drawn = [Lists.draw(np.random.default_rng([11, seed]), count).features for seed in range(5)]
    for seed in range(samples):
        random = np.random.default_rng([12, seed])
        users = np.arange(count) if clusters is None else random.integers(0, clusters, count)
        values = draw(random, users)
        found = find_slices(values, drawn[seed % 5], ids(count)[users], against,
                            search=dataclasses.replace(search, seed=seed))  # fmt: skip
        assert found.looked_at > 40
        any_found += bool(found.findings)
    return any_found / samples


def of_users(random, users):
    return random.normal(size=len(users))[users] + random.normal(size=len(users))


def few_large_gains(random, users):
    """Mean 0: a model gains 0.45 on a tenth of the lists and loses 0.05 on the others."""
    return np.where(random.random(len(users)) < 0.1, 0.45, -0.05) + 0.03 * random.normal(size=len(users))


@pytest.mark.parametrize(
    ("draw", "against", "clusters"),
    [
        pytest.param(lambda random, users: random.standard_t(3, size=len(users)), "zero", None, id="heavy tails"),
        pytest.param(few_large_gains, "zero", None, id="few large gains"),
        pytest.param(of_users, "zero", 60, id="users, differences"),
        pytest.param(lambda random, users: 1.0 / random.geometric(0.3, size=len(users)), "others", None, id="ranks"),
        pytest.param(lambda random, users: (random.random(len(users)) < 0.1) * 1.0, "others", None, id="rare"),
        pytest.param(of_users, "others", 60, id="users, figures"),
    ],
)
def test_nothing_is_found_where_there_is_nothing(draw, against, clusters):
    """100 samples at alpha = 0.05: three errors above it are 0.115."""
    assert no_findings(draw, against, 100, 250, clusters) <= 0.115


def test_a_wide_spread_is_no_finding():
    """Lists of one country are spread four times as wide: permutations alone find it in 13%."""
    found, lists = 0, Lists.draw(np.random.default_rng(13), 400)
    features = lists.features
    for seed in range(100):
        random = np.random.default_rng([13, seed])
        values = random.normal(size=400) * np.where(lists.country == "us", 4, 1)
        search = Search(draws=99, min_lists=15, least_effect=0, seed=seed)
        found += bool(find_slices(values, features, ids(400), "others", search=search).findings)
    assert found / 100 <= 0.08


def planted(count=1500, seed=10):
    random = np.random.default_rng(seed)
    lists = Lists.draw(random, count)
    values = random.normal(size=count) * 0.1 - 0.1 * (lists.device == "tv") + 0.05 * (lists.country == "us")
    return lists, values


@pytest.mark.parametrize("against", MODES)
def test_direction(against):
    lists, values = planted()
    found = find_slices(values, lists.features, ids(1500), against, search=QUICK)
    other = find_slices(-values, lists.features, ids(1500), against, higher_is_better=False, search=QUICK)
    assert names(other) == names(found) == ["device: tv"]
    for name in ("mean", "others", "effect", "bound"):
        assert getattr(other.findings[0], name) == -getattr(found.findings[0], name)


@pytest.mark.parametrize("against", MODES)
def test_order_of_lists_is_immaterial(against):
    lists, values = planted()
    order = np.random.default_rng(1).permutation(1500)
    found = find_slices(values, lists.features, ids(1500), against, search=QUICK)
    moved = [feature.take(order) for feature in lists.features]
    other = find_slices(values[order], moved, ids(1500)[order], against, search=QUICK)
    assert names(other) == names(found)
    assert other.findings[0].bound == pytest.approx(found.findings[0].bound, rel=1e-4)
    assert other.critical == pytest.approx(found.critical, rel=1e-4)


def test_lists_without_a_value_are_left_out():
    lists, values = planted()
    gone = np.random.default_rng(2).random(1500) < 0.3
    kept = np.flatnonzero(~gone)
    with_gaps = find_slices(np.where(gone, np.nan, values), lists.features, ids(1500), search=QUICK)
    without = find_slices(values[kept], [of.take(kept) for of in lists.features], ids(1500)[kept], search=QUICK)
    assert with_gaps == without
    assert with_gaps.lists == len(kept)
    empty = find_slices(np.full(1500, np.nan), lists.features, ids(1500), search=QUICK)
    assert (empty.findings, empty.looked_at, empty.lists) == ((), 0, 0)


def test_users_count_as_one():
    """A slice of 200 lists of three users who are unlucky is no finding; of 200 queries it is."""
    random = np.random.default_rng(12)
    kinds = np.array(["a"] * 200 + ["b"] * 800)
    values = random.normal(size=1000) * 0.1 - 0.1 * (kinds == "a")
    features = [Feature.of_texts("kind", pa.array(kinds))]
    users = np.where(kinds == "a", np.arange(1000) % 3, np.arange(1000) // 5)
    for against in MODES:
        assert names(find_slices(values, features, ids(1000), against, search=QUICK)) == ["kind: a"]
        assert find_slices(values, features, ids(1000)[users], against, search=QUICK).findings == ()


def test_limits():
    lists, values = planted(4000)
    values -= 0.1 * (lists.country == "it")
    search = dataclasses.replace(QUICK, most=1)
    assert len(find_slices(values, lists.features, ids(4000), search=search).findings) == 1
    assert names(find_slices(values, lists.features, ids(4000), search=dataclasses.replace(QUICK, depth=1))) == [
        "country: it", "device: tv"]  # fmt: skip
    bounded = find_slices(values, lists.features, ids(4000), search=dataclasses.replace(QUICK, most_slices=20, depth=3))
    assert bounded.looked_at <= 20
    assert bounded.min_lists > 20
    large = find_slices(values, lists.features, ids(4000), search=dataclasses.replace(QUICK, least_effect=5))
    assert large.findings == ()
    assert large.significant > 0


def test_nothing_varies():
    kinds = [Feature.of_texts("kind", pa.array(["a", "b"] * 50))]
    for values in (np.full(100, -0.1), np.zeros(100)):
        for against in MODES:
            found = find_slices(values, kinds, ids(100), against, search=QUICK)
            assert found.findings == ()
            assert math.isnan(found.detectable)


@pytest.mark.parametrize("against", MODES)
def test_what_is_detectable_is_found_in_four_of_five(against):
    """A slice of the least number of lists that is worse by so much: 100 samples lie between 0.68 and 0.92."""
    found, gain = 0, 0.01 if against == "zero" else 0.0
    random = np.random.default_rng(14)
    bad = random.permutation(800) < 40
    kinds = [Feature.of_texts("kind", pa.array(np.where(bad, "a", random.choice(list("bcd"), 800))))]
    for seed in range(100):
        values = random.normal(size=800) * 0.1 + gain
        search = Search(draws=99, min_lists=40, least_effect=0, seed=seed)
        detectable = find_slices(values, kinds, ids(800), against, search=search).detectable
        moved = values - bad * (detectable + gain)
        found += names(find_slices(moved, kinds, ids(800), against, search=search)) == ["kind: a"]
    assert 0.68 <= found / 100 <= 0.92


def test_large_searches_cross_less():
    features = [Feature.of_numbers(f"f{number}", np.random.default_rng(number).normal(size=400)) for number in range(5)]
    values, search = np.random.default_rng(9).normal(size=400), dataclasses.replace(QUICK, depth=3)
    assert find_slices(values, features, ids(400), search=search).depth == 3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "_PAIRS", 400 * (1 + 15 + 90))
        assert find_slices(values, features, ids(400), search=search).depth == 2
        patch.setattr(find, "_PAIRS", 1)
        assert find_slices(values, features, ids(400), search=search).depth == 1


def test_faults_are_told():
    lists, values = planted(100)
    features, units = lists.features, ids(100)
    for arguments, message in [
        ((values, [], units), "expected at least one feature"),
        ((values, [features[0], features[0]], units), "expected each feature once, got country, country"),
        ((values[1:], features, units[1:]), "expected feature 'country' of 99 lists"),
        ((values, features, units[1:]), "expected units of 100 lists"),
        ((np.where(values > 0, np.inf, values), features, units), "expected finite values, got inf"),
        ((values, features, units, "all"), "expected zero or others, got 'all'"),
    ]:
        with pytest.raises(ValueError, match=message):
            find_slices(*arguments)
    for options, message in [
        ({"alpha": 0}, "alpha above 0"),
        ({"draws": 18}, "at least 19 draws"),
        ({"depth": 4}, "depth of 1, 2 or 3"),
        ({"min_lists": 1}, "min_lists >= 2"),
        ({"least_effect": math.nan}, "least_effect >= 0"),
        ({"most": 0}, "most >= 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            Search(**options)
