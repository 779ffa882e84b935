"""What slices that nobody named are made of: columns of a score table, features of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from eval.discovery import Search, Searches
from eval.metrics import Metric, parse_measure
from eval.score_files import ScoreFile
from ranker.data.columns import Column
from ranker.errors import RankerError
from ranker.spec import Evaluation, Spec
from ranker.spec.find_slices import FindSlices

__all__ = ["SearchColumns", "columns_of_bundle", "columns_of_scores", "searches_of"]


@dataclass(frozen=True)
class SearchColumns:
    """Columns that slices are made of.

    Args:
        names: of columns of the score table, or of features of a bundle.
        numbers: of these the ones that hold numbers.
        left_out: others, with the reason.
    """

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def columns_of_scores(file: ScoreFile, asked: FindSlices | None, used: Sequence[str]) -> SearchColumns:
    """The columns of a file of scores; `all` are those that nothing of `used` is.

    Args:
        file: of scores.
        asked: what is looked for; None: nothing.
        used: models, texts to show, the cluster.

    Raises:
        RankerError: a column that is named and cannot be used.
    """
    if asked is None:
        return SearchColumns()
    kinds, left_out = file.columns(), {}
    free = file.unread(used)
    wanted = [name for name in kinds if name in free] if asked.features == "all" else asked.features
    for name in wanted:
        fault = "no such column" if name not in kinds else _fault_of(kinds[name])
        if name in kinds and name not in free:
            fault = "an id, a label, a score or what is shown: it says nothing of what a list is about"
        if fault is not None and asked.features != "all":
            raise RankerError(f"evaluation.find_slices.features: {name!r}: {fault}; there are {', '.join(kinds)}")
        if fault is not None:
            left_out[name] = fault
    names = tuple(name for name in dict.fromkeys(wanted) if name not in left_out)
    return SearchColumns(names, tuple(name for name in names if _is_number(kinds[name])), left_out)


def columns_of_bundle(asked: FindSlices | None, spec: Spec, columns: Mapping[str, Column]) -> SearchColumns:
    """The features of queries and documents; `all` are those without texts and vectors.

    Args:
        asked: what is looked for; None: nothing.
        spec: of the bundle.
        columns: its raw columns by their names.

    Raises:
        RankerError: a feature that is named and cannot be used.
    """
    if asked is None:
        return SearchColumns()
    texts = {one.name for one in [*spec.features.query, *spec.features.of_documents] if one.kind == "text"}
    left_out, names = {}, []
    for name in columns if asked.features == "all" else asked.features:
        if name not in columns:
            raise RankerError(f"evaluation.find_slices.features: no feature {name!r}; there are {', '.join(columns)}")
        if columns[name].width is not None:
            if asked.features != "all":
                raise RankerError(f"evaluation.find_slices.features: {name!r} is a vector, which tells no slices apart")
            left_out[name] = "a vector"
        elif asked.features == "all" and name in texts:
            left_out[name] = "a text"
        else:
            names.append(name)
    return SearchColumns(tuple(dict.fromkeys(names)), (), left_out)


def searches_of(
    evaluation: Evaluation,
    columns: SearchColumns,
    models: Sequence[str],
    candidate: str,
    column: Callable[[str], str],
) -> Searches | None:
    """The searches: each model against the baseline, and the candidate against itself elsewhere.

    Args:
        evaluation: the section of the spec.
        columns: that slices are made of.
        models: that are measured.
        candidate: the model that the gate is for.
        column: of the score table, by the name in `columns`.

    Raises:
        RankerError: a metric that is not one of lists.
    """
    asked = evaluation.find_slices
    if asked is None:
        return None
    metrics = [parse_measure(text) for text in asked.metrics or evaluation.metrics]
    of_lists = [str(metric) for metric in metrics if isinstance(metric, Metric)]
    if asked.metrics is not None and len(of_lists) < len(metrics):
        raise RankerError(f"evaluation.find_slices.metrics: expected metrics of lists, got {', '.join(asked.metrics)}")
    return Searches(
        columns=tuple(column(name) for name in columns.names),
        numbers=tuple(column(name) for name in columns.numbers),
        metrics=tuple(of_lists if asked.metrics is not None else of_lists[:1]),
        models=tuple(model for model in models if evaluation.baseline not in (None, model)),
        alone=(candidate,),
        baseline=evaluation.baseline,
        search=Search(
            alpha=asked.alpha,
            depth=asked.depth,
            min_lists=asked.min_lists or evaluation.min_lists,
            draws=1000,
            seed=evaluation.seed,
        ),
        left_out=columns.left_out,
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _fault_of(kind: pa.DataType) -> str | None:
    """Why a column tells no slices apart."""
    several = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_dictionary(kind)
    inner = kind.value_type if several else kind
    if pa.types.is_nested(inner) or pa.types.is_binary(inner) or pa.types.is_large_binary(inner):
        return f"neither texts nor numbers ({kind})"
    return f"a vector ({kind})" if several and pa.types.is_floating(inner) else None
