"""How often the search for bad slices errs, what it finds, and what it costs.

`python -m tests.benchmarks.discovery --samples 1000` prints the tables.

Lists have seven features, of which some hang together: three of texts, one of several texts, two numbers, and one of
twenty rare values. Figures are those of `tests.benchmarks.coverage` (NDCG@10 and MRR@10 of queries drawn with
replacement, and differences whose true mean is 0 with the shape that small changes of a model give them), and two
lopsided kinds of differences with mean 0: a model that gains 0.45 on a tenth of the lists and loses 0.05 on the others,
and the other way round. With users, lists of a user share the user's luck, users have 1 to 40 lists, and five features
are those of the user.

1. Where no slice is worse than any other: the share of samples with any finding, at alpha = 0.05. Findings with a small
   effect are kept, which a search otherwise leaves out.
2. Where 5% of the lists, those with one of the rare values, are worse by 0.1 or 0.2: the share of samples that find the
   slice by its name, and the share that report any slice which has less than half of its lists in it.
3. Time and peak of memory of one search, by lists and slices.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from eval.discovery import Against, Feature, Findings, Search, find_slices
from tests.benchmarks.coverage import Population

__all__ = ["KINDS", "Lists", "false_findings", "power"]

SIZES = (300, 3_000)
_PLANTED = "r07"
_LARGE = ((10_000, 6, 2), (100_000, 6, 2), (100_000, 20, 2), (100_000, 12, 3))
_PEAK = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\n"
_PEAK += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists with features and the user of each."""

    features: list[Feature]
    users: NDArray[np.int64]
    planted: NDArray[np.bool_]

    @classmethod
    def draw(cls, random: np.random.Generator, count: int, *, users: bool) -> Lists:
        """Some lists; without users, each is alone."""
        of_list = np.arange(count)
        if users:
            sizes = np.minimum(random.geometric(0.2, count), 40)
            of_list = np.repeat(np.arange(count), sizes)[:count]
        people = int(of_list[-1]) + 1
        country = random.choice(["de", "fr", "it", "us"], p=[0.4, 0.3, 0.2, 0.1], size=people)[of_list]
        device = np.where(random.random(people) < 0.7, "phone", random.choice(["desk", "tv"], size=people))[of_list]
        plan = np.where(random.random(count) < 0.8, np.where(country == "de", "free", "paid"), "trial")
        rare = random.choice([f"r{number:02}" for number in range(20)], size=count)
        tags = random.random((people, 3))[of_list] < [0.5, 0.2, 0.1]
        several = [[name for name, there in zip("klm", row, strict=True) if there] for row in tags.tolist()]
        features = [
            Feature.of_texts("country", pa.array(country)),
            Feature.of_texts("device", pa.array(device)),
            Feature.of_texts("plan", pa.array(plan)),
            Feature.of_texts("rare", pa.array(rare)),
            Feature.of_texts("tags", pa.array(several, pa.list_(pa.string()))),
            Feature.of_numbers("age", random.normal(size=people)[of_list]),
            Feature.of_numbers("spent", random.exponential(size=count)),
        ]
        return cls(features, of_list, rare == _PLANTED)


def _lopsided(sign: int) -> Draw:
    def draw(random: np.random.Generator, count: int) -> Floats:
        return sign * np.where(random.random(count) < 0.1, 0.45, -0.05) + 0.03 * random.normal(size=count)

    return draw


def _kinds() -> dict[str, tuple[Against, Draw]]:
    """By name: what slices are compared with, and values."""
    found: dict[str, tuple[Against, Draw]] = {}
    for metric in ("ndcg@10", "mrr@10"):
        of = Population.of(metric, 5_000)
        found[metric] = ("others", lambda random, count, of=of: random.choice(of.baseline, count))  # type: ignore[misc]  # lambdas bind late
        found[f"{metric}, difference"] = (
            "zero",
            lambda random, count, of=of: next(of.differences(0.0, count, 1, random))[:, 0],  # type: ignore[misc]  # lambdas bind late
        )
    return found | {"few large gains": ("zero", _lopsided(1)), "few large losses": ("zero", _lopsided(-1))}


KINDS = _kinds()


def false_findings(kind: str, count: int, samples: int, *, users: bool) -> float:
    """Share of samples with any finding where all slices are alike."""
    return sum(bool(_searched(kind, count, seed, users=users)[1].findings) for seed in range(samples)) / samples


def power(kind: str, count: int, effect: float, samples: int) -> tuple[float, float]:
    """Share of samples that find the planted slice by its name, and that have a finding mostly of other lists."""
    found = wrong = 0
    for seed in range(samples):
        lists, one = _searched(kind, count, seed, users=False, effect=effect)
        found += any(finding.conditions == (("rare", _PLANTED),) for finding in one.findings)
        inside = ((_members(lists, finding.conditions), finding.lists) for finding in one.findings)
        wrong += any(2 * lists.planted[members].sum() < size for members, size in inside)
    return found / samples, wrong / samples


def _searched(kind: str, count: int, seed: int, *, users: bool, effect: float = 0.0) -> tuple[Lists, Findings]:
    against, draw = KINDS[kind]
    random = np.random.default_rng([seed, count])
    lists = Lists.draw(random, count, users=users)
    values = draw(random, count)
    if users:  # the same values, handed out so that those of a user are alike
        luck = 0.6 * random.normal(size=count)[lists.users] + 0.8 * random.normal(size=count)
        values = np.sort(values)[np.argsort(np.argsort(luck))]
    ids = np.array([f"u{user}" for user in lists.users], dtype=object)
    least = {"least_effect": 0.0} if not effect else {}
    search = Search(draws=399, min_lists=10 if count < 1000 else 30, seed=seed, **least)  # type: ignore[arg-type]  # mypy takes all values of a mapping for all options
    return lists, find_slices(values - effect * lists.planted, lists.features, ids, against, search=search)


def _members(lists: Lists, conditions: tuple[tuple[str, str], ...]) -> NDArray[np.bool_]:
    """Lists that meet all conditions, bool [lists]."""
    inside = np.ones(len(lists.users), np.bool_)
    for name, value in conditions:
        feature = next(one for one in lists.features if one.name == name)
        of_value = np.zeros(len(inside), np.bool_)
        of_value[feature.ragged.rows[feature.codes == list(feature.values).index(value)]] = True
        inside &= of_value
    return inside


def large(count: int, features: int, depth: int) -> tuple[int, float]:
    """Slices of one search, and its seconds: texts of 30 values and numbers in turn."""
    random = np.random.default_rng(0)
    given = []
    for number in range(features):
        if number % 2:
            given.append(Feature.of_numbers(f"n{number}", random.normal(size=count)))
        else:
            texts = np.array([f"v{value}" for value in range(30)])[random.integers(0, 30, count)]
            given.append(Feature.of_texts(f"t{number}", pa.array(texts)))
    ids = np.array([f"q{number}" for number in range(count)], dtype=object)
    values = random.normal(size=count)
    started = time.perf_counter()
    found = find_slices(values, given, ids, search=Search(depth=depth))
    return found.looked_at, time.perf_counter() - started


def _apart(count: int, features: int, depth: int) -> tuple[str, str, str]:
    """Slices, seconds and peak of memory, MiB, of one search in a process of its own."""
    own = [sys.executable, "-m", "tests.benchmarks.discovery", "--large", str(count), str(features), str(depth)]
    done = subprocess.run([sys.executable, "-c", _PEAK, *own], capture_output=True, text=True, check=True)
    slices, seconds, memory = done.stdout.split()
    return f"{int(slices):,}", f"{float(seconds):.1f}", f"{int(memory) / 1024:,.0f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Errors, power and cost of the search for bad slices.")
    parser.add_argument("--samples", type=int, default=300, help="per figure (default 300)")
    parser.add_argument("--large", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.large:
        print(*large(*given.large))
        return
    print("| any finding, alpha 0.05 | 300 lists | 3,000 lists | 300, users | 3,000, users |\n|---|---|---|---|---|")
    for kind in KINDS:
        shares = [false_findings(kind, count, given.samples, users=users) for users in (False, True) for count in SIZES]
        print(f"| {kind} | {' | '.join(f'{share:.3f}' for share in shares)} |", flush=True)
    print("\n| found / others | 300 lists, 0.1 | 300, 0.2 | 3,000, 0.1 | 3,000, 0.2 |\n|---|---|---|---|---|")
    for kind in KINDS:
        cells = [power(kind, count, effect, given.samples) for count in SIZES for effect in (0.1, 0.2)]
        print(f"| {kind} | {' | '.join(f'{found:.2f} / {wrong:.2f}' for found, wrong in cells)} |", flush=True)
    print("\n| lists | features | depth | slices | seconds | peak MiB |\n|---|---|---|---|---|---|")
    for shape in _LARGE:
        print(f"| {' | '.join([f'{shape[0]:,}', *map(str, shape[1:]), *_apart(*shape)])} |", flush=True)


if __name__ == "__main__":
    main()
