"""Several runs against each other, from their tables of figures per query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from eval.changes import changes_of, spread_of
from eval.evaluate import INTERVAL
from eval.evaluation import Evaluation, SliceNames
from eval.metrics import parse_metric
from eval.per_query import METADATA, SEPARATOR, PerQuery, names_where
from eval.ragged import BoolArray, FloatArray, IntArray
from eval.report.data import Changes, Data, Settings
from eval.series import Series
from eval.tally import Slice, Tally, Values, tally_of

__all__ = ["Choice", "compare_runs"]


@dataclass(frozen=True)
class Choice:
    """What of the runs is compared, and how.

    Args:
        metrics: None: all that all runs have.
        models: by their names in the runs; None: all.
        baseline: a run, model or `run/model`; None: the first of the first run.
        intersect: compare the queries that all runs have, if they have different ones.
        confidence: of the intervals; None: that of the first run.
        draws: of the bootstrap; None: as in the first run.
        seed: of the bootstrap; None: that of the first run.
    """

    metrics: Sequence[str] | None = None
    models: Sequence[str] | None = None
    baseline: str | None = None
    intersect: bool = False
    confidence: float | None = None
    draws: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise ValueError(f"compare: expected a confidence between 0 and 1, such as 0.95, got {self.confidence}")
        if self.draws is not None and self.draws < 1:
            raise ValueError(f"compare: expected at least 1 draw, got {self.draws}")
        if self.seed is not None and not 0 <= self.seed < 2**64:
            raise ValueError(f"compare: expected a seed from 0 to 2^64 - 1, got {self.seed}")
        for what, names in (("metrics", self.metrics), ("models", self.models)):
            if names is not None and (not names or len(set(names)) < len(names)):
                raise ValueError(
                    f"compare: expected at least one of {what}, each once, got {', '.join(names) or 'none'}"
                )


def compare_runs(runs: Mapping[str, PerQuery], choice: Choice | None = None) -> Evaluation:
    """Compare the models of several runs on the same queries.

    A model is called by its run, or `run/model` where a run has several. Slices are those that all runs have with the
    same values; slices of documents cannot be made from figures of whole lists and are left out.

    Args:
        runs: at least one, by name.
        choice: of what is compared.

    Raises:
        ValueError: the runs differ in queries (and these are not to be intersected), labels, units or contracts, or
            have nothing in common that could be compared.
    """
    chosen = choice or Choice()
    aligned = _Aligned.of(runs, intersect=chosen.intersect)
    contract = _contract(runs, chosen.metrics)
    labels = _labels(runs, chosen.models)
    baseline = _baseline(labels, chosen.baseline)
    series = Series(list(contract), list(labels), baseline)
    first = next(iter(runs.values())).metadata["settings"]
    settings = Settings(
        confidence=first["confidence"] if chosen.confidence is None else chosen.confidence,
        draws=first["draws"] if chosen.draws is None else chosen.draws,
        seed=first["seed"] if chosen.seed is None else chosen.seed,
        unit=first["unit"],
        interval=INTERVAL,
        min_lists=first["min_lists"],
    )
    columns = {
        f"{metric}{SEPARATOR}{label}": aligned.figures(*labels[label], metric) for metric, label in series.columns
    }
    slices, named = aligned.slices()
    figures = np.column_stack(list(columns.values()))
    lost = [f"{name}: {note}" for name, run in runs.items() for note in run.metadata["notes"]]
    rows = _rows(
        aligned,
        named,
        columns,
        {
            "contract": contract,
            "settings": settings,
            "models": list(labels),
            "baseline": baseline,
            "slices": [vars(one) for one in slices],
            "notes": lost,
        },
        [aligned.undefined(*labels[label], metric) for metric, label in series.columns],
    )
    direction = {metric: parse_metric(metric).higher_is_better for metric in contract}
    return Evaluation(
        contract=contract,
        higher_is_better=direction,
        series=series,
        slices=slices,
        tally=_tally(rows, series, figures, slices, settings),
        settings=settings,
        data=_data(aligned, list(labels)),
        per_query=rows,
        changes=_changes(rows, series, direction),
        notes=[*lost, *aligned.notes],
    )


@dataclass(frozen=True, eq=False)
class _Aligned:
    """Runs with the rows that they have in common, in the order of the first one.

    Args:
        runs: by name.
        rows: by run, the rows of the queries, int64 [queries].
        notes: what a reader has to know.
    """

    runs: Mapping[str, PerQuery]
    rows: Mapping[str, IntArray]
    notes: list[str]

    @classmethod
    def of(cls, runs: Mapping[str, PerQuery], *, intersect: bool) -> "_Aligned":
        """Find the queries that all runs have, and check that they are the same."""
        if not runs:
            raise ValueError("compare: expected at least one run, got none")
        ids = {name: run.column("query_id") for name, run in runs.items()}
        (first, own), *others = ids.items()
        there = np.ones(len(own), np.bool_)
        notes: list[str] = []
        for name, of_other in others:
            _refuse_other_queries(first, own, name, of_other, notes, intersect=intersect)
            there &= pc.is_in(own, of_other).to_numpy(zero_copy_only=False)
        if not there.any():
            raise ValueError(f"compare: the runs {', '.join(runs)} have no query in common")
        common = own.filter(pa.array(there))
        rows = {name: pc.index_in(common, of_run).to_numpy().astype(np.int64) for name, of_run in ids.items()}
        if notes:
            notes.append(f"compared are the {len(common)} queries that all runs have")
        aligned = cls(runs, rows, notes)
        for name, _ in others:
            aligned._check_same(first, name)
        return aligned

    def column(self, run: str, name: str) -> pa.Array:
        """A column of a run, of the queries in common."""
        return self.runs[run].column(name).take(pa.array(self.rows[run]))

    def figures(self, run: str, model: str, metric: str) -> FloatArray:
        """A metric of a model, float64 [queries]."""
        return self.runs[run].figures(metric, model)[self.rows[run]]

    def undefined(self, run: str, model: str, metric: str) -> BoolArray:
        """For which queries a metric of a model is not defined, bool [queries]."""
        return self.runs[run].undefined(metric, model)[self.rows[run]]

    @property
    def first(self) -> str:
        """Name of the first run."""
        return next(iter(self.runs))

    def _check_same(self, first: str, other: str) -> None:
        """Refuse runs whose queries have other labels or units; say where lists have other documents."""
        queries = self.column(first, "query_id")
        for name, what in (("judgements", "labels"), ("unit", "units that are resampled")):
            differ = pc.not_equal(self.column(first, name), self.column(other, name))
            if count := pc.sum(differ).as_py():
                query = queries[pc.index(differ, True).as_py()].as_py()
                raise ValueError(
                    f"compare: {first} and {other} have other {what} for {count} queries, the first is {query!r};"
                    f" measure both on the same judgements and clusters{self._lost(first, other)}"
                )
        differ = pc.not_equal(self.column(first, "ranked"), self.column(other, "ranked"))
        if count := pc.sum(differ).as_py():
            longer = pc.not_equal(self.column(first, "documents"), self.column(other, "documents"))
            query = queries[pc.index(differ, True).as_py()].as_py()
            self.notes.append(
                f"{first} and {other} ranked other documents in {count} of {len(queries)} queries, the first is"
                f" {query!r}, and another number of them in {pc.sum(longer).as_py()}: differences may come of that"
            )

    def _lost(self, *runs: str) -> str:
        """What runs were measured without, in brackets."""
        told = [f"{run}: {note}" for run in runs for note in self.runs[run].metadata["notes"][:1]]
        return f" ({'; '.join(told)})" if told else ""

    def slices(self) -> tuple[list[SliceNames], dict[str, pa.Array]]:
        """The slices that all runs have alike, and the values of each list."""
        found, named = [], {}
        for one in self.runs[self.first].metadata["slices"]:
            if one["scope"] == "document":
                self.notes.append(f"slices {one['name']!r} are of documents, and left out: they need the scores")
                continue
            values = self.column(self.first, one["name"])
            if all(self._has_same(run, one["name"], values) for run in self.runs):
                there = set(pc.unique(values.flatten() if pa.types.is_list(values.type) else values).to_pylist())
                kept = tuple(value for value in one["values"] if value in there)
                found.append(SliceNames(one["name"], "list", kept, one["merged"]))
                named[one["name"]] = values
            else:
                self.notes.append(f"slices {one['name']!r} are not the same in all runs, and left out")
        return found, named

    def _has_same(self, run: str, name: str, values: pa.Array) -> bool:
        known = [one["name"] for one in self.runs[run].metadata["slices"] if one["scope"] == "list"]
        return name in known and _listed(self.column(run, name)).equals(_listed(values))


def _listed(values: pa.Array) -> pa.Array:
    """The values of each query as a list, sorted, also where each has one."""
    rows, texts = np.arange(len(values)), values
    if pa.types.is_list(values.type):
        rows, texts = values.value_parent_indices().to_numpy(), values.flatten()
    order = pc.sort_indices(pa.table({"row": rows, "text": texts}), [("row", "ascending"), ("text", "ascending")])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(values)))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts.take(order))


def _refuse_other_queries(
    first: str, own: pa.Array, other: str, of_other: pa.Array, notes: list[str], *, intersect: bool
) -> None:
    """Refuse, or note, queries that only one of two runs has."""
    told = []
    for name, ids, others in ((first, own, of_other), (other, of_other, own)):
        only = ids.filter(pc.invert(pc.is_in(ids, others)))
        if len(only):
            told.append(f"{len(only)} of {len(ids)} queries are only in {name}, such as {only[0].as_py()!r}")
    if told and not intersect:
        raise ValueError(
            f"compare: {first} and {other} have different queries: {'; '.join(told)}; measure both on the same queries,"
            " or intersect them"
        )
    notes += told


def _contract(runs: Mapping[str, PerQuery], metrics: Sequence[str] | None) -> dict[str, Mapping[str, str]]:
    """The contract of each metric that is compared."""
    by_run = {name: run.metadata["contract"] for name, run in runs.items()}
    (first, own), *_ = by_run.items()
    common = [metric for metric in own if all(metric in contract for contract in by_run.values())]
    asked = common if metrics is None else list(dict.fromkeys(str(parse_metric(text)) for text in metrics))
    for metric in asked:
        if metric not in common:
            raise ValueError(
                f"compare: metric {metric} is not in all runs; those in all are {', '.join(common) or 'none'}"
            )
    if not asked:
        raise ValueError("compare: the runs have no metric in common; evaluate them with the same metrics")
    for name, contract in by_run.items():
        for metric in asked:
            if contract[metric] != own[metric]:
                told = (_told(contracts[metric]) for contracts in (own, contract))
                raise ValueError(
                    f"compare: {metric} is not the same in {first} ({next(told)}) and {name} ({next(told)})"
                )
    return {metric: own[metric] for metric in asked}


def _told(contract: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in contract.items())


def _labels(runs: Mapping[str, PerQuery], models: Sequence[str] | None) -> dict[str, tuple[str, str]]:
    """Run and model by the name that the comparison has for them."""
    labels: dict[str, tuple[str, str]] = {}
    for name, run in runs.items():
        own = [model for model in run.metadata["models"] if models is None or model in models]
        labels |= {name if len(own) == 1 else f"{name}/{model}": (name, model) for model in own}
    found = {model for _, model in labels.values()}
    if unknown := [model for model in models or () if model not in found]:
        known = sorted({model for run in runs.values() for model in run.metadata["models"]})
        raise ValueError(f"compare: no run has a model {unknown[0]!r}; there are {', '.join(known)}")
    if len(labels) < 2:
        raise ValueError(f"compare: expected at least two models, got {', '.join(labels) or 'none'}; name another run")
    return labels


def _baseline(labels: Mapping[str, tuple[str, str]], named: str | None) -> str:
    """The label of the baseline."""
    if named is None:
        return next(iter(labels))
    fits = [label for label, (run, model) in labels.items() if named in (label, run, model)]
    if len(fits) != 1 and named not in labels:
        told = f"{len(fits)} of them" if fits else "none of them"
        raise ValueError(f"compare: baseline {named!r} is {told}: {', '.join(labels)}; name one")
    return named if named in labels else fits[0]


def _rows(
    aligned: _Aligned,
    named: Mapping[str, pa.Array],
    columns: Mapping[str, FloatArray],
    metadata: Mapping[str, Any],
    undefined: Sequence[BoolArray],
) -> PerQuery:
    """The table of figures per query of all runs."""
    import json

    own = {name: aligned.column(aligned.first, name) for name in ("query_id", "unit")}
    counts = {name: aligned.column(aligned.first, name) for name in ("documents", "relevant", "judgements", "ranked")}
    counts["undefined"] = names_where(np.column_stack(undefined), list(columns))
    figures = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    table = pa.table({**own, **named, **counts, **figures})
    return PerQuery(table.replace_schema_metadata({METADATA: json.dumps(metadata, ensure_ascii=False)}))


def _tally(
    rows: PerQuery, series: Series, figures: FloatArray, slices: Sequence[SliceNames], settings: Settings
) -> Tally:
    documents, units = (rows.column(name).to_numpy(zero_copy_only=False) for name in ("documents", "unit"))
    empty = np.column_stack([rows.undefined(metric, model) for metric, model in series.columns])
    values, numbers = Values(figures, empty, np.zeros(figures.shape, np.bool_)), series.of(figures)

    def part(lists: IntArray) -> Slice:
        return Slice(lists, int(documents[lists].sum()), values.of(lists), numbers[lists])

    members = [np.arange(len(figures))]
    for one in slices:
        lists, codes = _coded(rows.column(one.name), one.values)
        members += [lists[codes == code] for code in range(len(one.values))]
    tally = tally_of([part(lists) for lists in members], units, settings["draws"], settings["seed"])
    return Tally(tally.sums, tally.lists, tally.documents, tally.empty, np.full_like(tally.tied, -1))


def _coded(values: pa.Array, names: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Lists and the numbers of their values, of which they may have several."""
    rows = np.arange(len(values))
    if pa.types.is_list(values.type):
        rows, values = values.value_parent_indices().to_numpy(), values.flatten()
    codes = pc.index_in(values, pa.array(names, values.type)).to_numpy(zero_copy_only=False)
    return rows.astype(np.int64), codes.astype(np.int64)


def _data(aligned: _Aligned, labels: Sequence[str]) -> Data:
    documents, relevant = (aligned.column(aligned.first, name) for name in ("documents", "relevant"))
    lengths = np.quantile(documents.to_numpy(), np.arange(5) / 4).tolist()
    names = ("min", "quartile1", "median", "quartile3", "max")
    return Data(
        queries=len(documents),
        documents=pc.sum(documents).as_py(),
        empty=pc.sum(pc.equal(relevant, 0)).as_py(),
        missing=dict.fromkeys(labels, 0),
        dropped=None,
        labels={},
        lengths=dict(zip(names, lengths, strict=True)),
    )


def _changes(rows: PerQuery, series: Series, direction: Mapping[str, bool]) -> dict[str, dict[str, Changes]]:
    baseline = str(series.baseline)
    found: dict[str, dict[str, Changes]] = {}
    for metric, model, _ in series.pairs:
        spread = spread_of(rows, metric, model, baseline, higher_is_better=direction[metric])
        found.setdefault(model, {})[metric] = changes_of(spread, model, baseline, {})
    return found
