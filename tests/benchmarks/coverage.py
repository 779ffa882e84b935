"""How often intervals and decisions are right, by simulation. `python -m tests.benchmarks.coverage` prints the tables.

Two populations of 20,000 queries are made up, each with a baseline and a model:

* `ndcg@10`: lists of 5 to 200 documents (log-normal, median 40) with grades 0 to 4, whose shares are those of web
  search on average and differ from query to query;
* `mrr@10`: the same lists with one relevant document in most, so that figures are 1, 1/2, 1/3, ... or 0.

A score is what the document is worth, times what the system sees of it (which differs from query to query, so that
some are easy and some hopeless), plus noise. The model's scores are those of the baseline with a little noise of their
own. Mean and mean difference over the population are the truth. To give a difference any true mean, the model is drawn,
query by query, as one that sees a little less than the baseline or one that sees a little more: the mean is then known
exactly, and the shape of the differences (many are 0, a few are large) stays what it is.

A sample is a set of queries drawn with replacement. Of many samples, the tables show

1. coverage: the share of 95% intervals (percentiles of the Poisson bootstrap, and Student's t) that hold the true mean;
2. decisions: the share of samples for which the rule of non-inferiority (`eval.gate`) says PASS (the lower of the
   bounds of `eval.bounds` lies above -margin), FAIL (the upper one lies below) or nothing. At a true difference of
   -margin each is wrong in 2.5% of samples, if bounds are right; further down PASS is, and further up FAIL;
3. tests at 5%: the share of samples in which a test rejects, where the true difference is 0;
4. slices: the share of samples in which any of 20 slices is wrong where no true difference is other than 0: its
   simultaneous lower bound lies above 0, which is what lets a slice pass that is at -margin (2.5%, as each side of the
   bounds is by itself), or its adjusted p-value is below 5%;
5. lists lost: the same where a model is as the baseline is but for one list in ten (or 33), drawn at random, of which
   it loses all. The mean of such differences is skewed, and far from the truth where few losses were drawn. PASS is
   wrong where any of the slices (20 with 100 to 1,000 lists each, or all lists as one) has its lower bound above the
   true mean, FAIL where one has its upper bound below. Beside it, how often PASS would be wrong by percentile bounds,
   with one standard error for all draws, and how far lower bounds are from the truth in the middle.

What it gave (`--samples 10000` for 1 and 3, 2,000 for the others; some minutes a table on one core, `--table` chooses):
intervals of the bootstrap hold in 0.91 (MRR) and 0.93 (NDCG) of samples of 30 differences, 0.94 of 100 and 0.95 of 300
and more; Student's in 0.95 to 0.96 of all. PASS at -margin is wrong in 3.0% of samples of 100, 2.5% of 300 and 2.6% of
1,000, or less; at -2 margins in less than 1% of 100 and 0.2% of 300. Both tests reject 5%, the t-test less at 30. Of 20
slices any bound is wrong in 3% of samples or less, MaxT in 4 to 6%. Where lists are lost, PASS is wrong in 2.9% or
less, but for 3% lost of 100 lists that are judged alone: 5% (NDCG) and 17% (MRR).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from eval.bounds import simultaneous_bounds, value_size
from eval.compare import paired_t_test, randomisation_test
from eval.figures import deltas
from eval.intervals import bootstrap_intervals, t_intervals
from eval.lists import Lists
from eval.metrics import parse_metric
from eval.sums import Sums, joined, sums_of_slices

__all__ = ["Population", "coverage", "decisions", "lost_lists", "rejections", "slice_errors"]

QUERIES = 20_000
SIZES = (30, 100, 300, 1_000)
MARGIN = 0.01
SLICES = 20
_TOGETHER = 100  # samples that share their draws
_GRADES = (0.52, 0.32, 0.13, 0.02, 0.01)  # shares of labels in MSLR-WEB30K

Floats = NDArray[np.float64]
Table = tuple[str, tuple[str, ...], Iterator[tuple[object, ...]]]


@dataclass(frozen=True, eq=False)
class Population:
    """Figures of all queries, float64 [queries] each.

    Args:
        baseline: of the baseline.
        less: differences to it of a model that sees less.
        more: differences to it of one that sees more.
    """

    baseline: Floats
    less: Floats
    more: Floats

    @classmethod
    def of(cls, metric: str, queries: int = QUERIES, seed: int = 0) -> Population:
        """The figures of a metric, `ndcg@...` on graded lists or `mrr@...` on lists with few relevant documents."""
        random = np.random.default_rng(seed)
        sizes = np.clip(random.lognormal(math.log(40), 0.7, queries), 5, 200).astype(np.int64)
        labels = _few(random, sizes) if metric.startswith("mrr") else _graded(random, sizes)
        lists = Lists(np.arange(queries).astype(str), np.concatenate([[0], np.cumsum(sizes)]), labels)
        sees = np.repeat(random.gamma(1.5, 0.6, queries), sizes)
        scores = sees * labels + random.normal(size=len(labels))
        own = 0.2 * random.normal(size=len(labels))

        def figures(change: float) -> Floats:
            moved = scores if change == 0 else scores + own + change * sees * labels
            values = parse_metric(metric).per_list(lists, moved)
            return values[~np.isnan(values)]

        baseline = figures(0)
        return cls(baseline, figures(-0.3) - baseline, figures(0.3) - baseline)

    @cached_property
    def value_size(self) -> float:
        """How large the figures are where they are large, as a rule of the gate takes it from its lists."""
        return float(value_size(Sums.of(self.baseline[:, None], np.arange(len(self.baseline)).astype(str), draws=1))[0])

    def losses(self, share: float, size: int, samples: int, random: np.random.Generator) -> Floats:
        """Differences of a model that loses lists with this probability, float64 [size, samples]."""
        values = self.baseline[random.integers(0, len(self.baseline), (size, samples))]
        return np.where(random.random(values.shape) < share, 0.0 - values, 0.0)

    def samples(self, size: int, samples: int, random: np.random.Generator) -> Iterator[Floats]:
        """Figures of the baseline in samples, float64 [size, samples], some samples at a time."""
        for count in _parts(samples):
            yield self.baseline[random.integers(0, len(self.baseline), (size, count))]

    def differences(self, true: float, size: int, samples: int, random: np.random.Generator) -> Iterator[Floats]:
        """Differences whose true mean is `true`, float64 [size, samples], some samples at a time."""
        less, more = float(self.less.mean()), float(self.more.mean())
        share = (more - true) / (more - less)
        assert 0 <= share <= 1, f"{true} is not between {less} and {more}"
        for count in _parts(samples):
            at = random.integers(0, len(self.less), (size, count))
            yield np.where(random.random(at.shape) < share, self.less[at], self.more[at])


def coverage(population: Population, size: int, samples: int, *, paired: bool = False) -> tuple[float, float]:
    """Share of 95% intervals that hold the true mean: of the bootstrap, and Student's.

    Args:
        population: where samples are from.
        size: queries in a sample.
        samples: how many.
        paired: of differences, which are `MARGIN` / 2 on average; else of the baseline's figures.
    """
    random = np.random.default_rng(size)
    truth = MARGIN / 2 if paired else float(population.baseline.mean())
    drawn = (
        population.differences(truth, size, samples, random) if paired else population.samples(size, samples, random)
    )
    held = np.zeros(2)
    for sums in _sums(drawn):
        for way, found in enumerate((bootstrap_intervals(sums), t_intervals(sums))):
            held[way] += sum(interval.low <= truth <= interval.high for interval in found)
    return float(held[0] / samples), float(held[1] / samples)


def decisions(population: Population, true: float, size: int, samples: int) -> tuple[float, float]:
    """Shares of samples that PASS and that FAIL at a margin of `MARGIN`, for a true mean difference."""
    drawn = population.differences(true, size, samples, np.random.default_rng(size))
    passed = failed = 0
    for sums in _sums(drawn):
        for sample in range(len(sums.n)):
            low, high = simultaneous_bounds(sums.chosen([sample]), 0.975, population.value_size)
            passed += int(low[0] > -MARGIN)
            failed += int(high[0] < -MARGIN)
    return passed / samples, failed / samples


def rejections(population: Population, size: int, samples: int) -> tuple[float, float]:
    """Shares of samples without a true difference that the t-test and the randomisation test reject at 5%."""
    drawn = population.differences(0.0, size, samples, np.random.default_rng(size))
    rejected = np.zeros(2)
    for sums in _sums(drawn):
        rejected += [(paired_t_test(sums) < 0.05).sum(), (randomisation_test(sums) < 0.05).sum()]
    return float(rejected[0] / samples), float(rejected[1] / samples)


def slice_errors(population: Population, size: int, samples: int) -> dict[str, float]:
    """Shares of samples of `SLICES` slices, `size` queries in each, in which any slice is wrong."""
    random = np.random.default_rng(size)
    ids, members = _apart(SLICES, size)
    wrong = dict.fromkeys(("bound_low", "p_adjusted", "p_holm", "q"), 0)
    for number in range(samples):
        values = np.concatenate([*population.differences(0.0, size, SLICES, random)], axis=1)
        slices = [(lists, values[:, [place]]) for place, lists in enumerate(members)]  # each has lists of its own
        found = deltas(sums_of_slices(slices, ids, seed=number), 0.95)
        wrong["bound_low"] += any(one["bound_low"] > 0 for one in found)
        for name in ("p_adjusted", "p_holm", "q"):
            wrong[name] += any(one[name] < 0.05 for one in found)
    return {name: count / samples for name, count in wrong.items()}


def lost_lists(population: Population, share: float, slices: int, size: int, samples: int) -> dict[str, float]:
    """Shares of samples in which any slice is wrong where lists are lost; see 5 above.

    Args:
        population: where samples are from.
        share: of lists that are lost.
        slices: in a sample, each with lists of its own.
        size: lists in each slice.
        samples: how many.
    """
    random, truth = np.random.default_rng(size), -share * float(population.baseline.mean())
    ids, members = _apart(slices, size)
    wrong, distances = np.zeros(3), []
    for seed, count in enumerate(_parts(samples)):
        values = [(lists, population.losses(share, size, count, random)) for lists in members]
        sums = sums_of_slices(values, ids, seed=seed)
        for sample in range(count):
            family = joined([one.chosen([sample]) for one in sums])
            low, high = simultaneous_bounds(family, 0.975, population.value_size)
            wrong += [(low > truth).any(), (high < truth).any(), (_percentile_bounds(family) > truth).any()]
            distances.append(float(np.median(truth - low)))
    names = ("pass", "fail", "pass_by_percentiles")
    return {**dict(zip(names, (wrong / samples).tolist(), strict=True)), "distance": float(np.median(distances))}


def _apart(slices: int, size: int) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Ids of lists, and the numbers of those in each slice, int64 [slices, size]."""
    return np.arange(slices * size).astype(str), np.arange(slices * size).reshape(slices, size)


def _percentile_bounds(sums: Sums) -> Floats:
    """Percentile bounds: as far below as resampled means are, in standard errors that are the same in all draws."""
    error = sums.standard_error
    away = np.divide(sums.resampled_means() - sums.mean, error, out=np.zeros_like(sums.resampled_x), where=error > 0)
    return sums.mean - np.quantile((-away).max(axis=1), 0.975) * error


def _sums(drawn: Iterator[Floats]) -> Iterator[Sums]:
    """Each part with draws of its own."""
    for seed, values in enumerate(drawn):
        yield Sums.of(values, np.arange(len(values)).astype(str), seed=seed)


def _parts(samples: int) -> Iterator[int]:
    for start in range(0, samples, _TOGETHER):
        yield min(_TOGETHER, samples - start)


def _graded(random: np.random.Generator, sizes: NDArray[np.int64]) -> Floats:
    """Labels 0 to 4, with shares that differ from query to query."""
    shares = np.cumsum(random.dirichlet(4 * np.array(_GRADES), len(sizes)), axis=1)
    spots = random.random(int(sizes.sum()))
    return (spots[:, None] > np.repeat(shares[:, :-1], sizes, axis=0)).sum(axis=1).astype(np.float64)


def _few(random: np.random.Generator, sizes: NDArray[np.int64]) -> Floats:
    """Labels 1 for one document in seven of ten lists, for two or three in the others; 0 for the rest."""
    many = random.choice([1, 2, 3], p=[0.7, 0.2, 0.1], size=len(sizes))
    starts = np.cumsum(sizes) - sizes
    labels = np.zeros(int(sizes.sum()))
    for number in range(3):
        chosen = many > number
        labels[starts[chosen] + random.integers(0, sizes[chosen])] = 1
    return labels


def _show(title: str, head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        cells = (f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
        print(f"| {' | '.join(cells)} |", flush=True)


def _tables(populations: dict[str, Population], samples: int) -> dict[str, Table]:
    """What `_show` takes, by the name of each table."""
    return {
        "coverage": (
            "Coverage of 95% intervals",
            ("figure", "queries", "bootstrap", "t"),
            (
                (f"{metric}{' difference' if paired else ''}", size, *coverage(one, size, samples, paired=paired))
                for metric, one in populations.items()
                for paired in (False, True)
                for size in SIZES
            ),
        ),
        "decisions": (
            f"Decisions at a margin of {MARGIN}",
            ("metric", "true difference / margin", "queries", "PASS", "FAIL"),
            (
                (metric, times, size, *decisions(one, times * MARGIN, size, samples))
                for metric, one in populations.items()
                for times in (-2, -1, 0, 1)
                for size in SIZES[1:]
            ),
        ),
        "tests": (
            "Tests at 5% without a true difference",
            ("metric", "queries", "t-test", "randomisation"),
            ((metric, size, *rejections(one, size, samples)) for metric, one in populations.items() for size in SIZES),
        ),
        "slices": (
            f"Any of {SLICES} slices wrong, without a true difference ({samples // 4:,} samples)",
            ("metric", "queries in each", "lower bound", "MaxT", "Holm", "Benjamini-Hochberg"),
            (
                (metric, size, *slice_errors(one, size, samples // 4).values())
                for metric, one in populations.items()
                for size in SIZES[:2]
            ),
        ),
        "lost": (
            f"Any slice wrong where lists are lost ({samples // 2:,} samples)",
            ("metric", "lost", "slices", "queries in each", "PASS", "FAIL", "PASS by percentiles", "distance"),
            (
                (metric, share, slices, size, *lost_lists(one, share, slices, size, samples // 2).values())
                for metric, one in populations.items()
                for share in (0.1, 0.03)
                for slices in (SLICES, 1)
                for size in SIZES[1:]
            ),
        ),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Coverage of intervals and error rates of decisions, by simulation.")
    parser.add_argument("--samples", type=int, default=2_000, help="samples per row (default 2,000)")
    parser.add_argument("--table", action="append", help="coverage, decisions, tests, slices or lost (default: all)")
    chosen = parser.parse_args()
    populations = {metric: Population.of(metric) for metric in ("ndcg@10", "mrr@10")}
    error = 1.96 * math.sqrt(0.05 * 0.95 / chosen.samples)
    print(
        f"{chosen.samples:,} samples per row: shares near 0.05 or 0.95 are known to -+{error:.3f}, near 0.025 to less"
    )
    for metric, one in populations.items():
        print(
            f"{metric}: mean {one.baseline.mean():.3f}, standard deviation {one.baseline.std():.3f};"
            f" differences {one.more.std():.3f}, {np.mean(one.more == 0):.0%} of them 0"
        )
    tables = _tables(populations, chosen.samples)
    for name in chosen.table or tables:
        _show(*tables[name])


if __name__ == "__main__":
    main()
