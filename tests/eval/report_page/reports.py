"""Reports as `report.json` has them, made from random values of lists by arithmetic of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

EVIL = "\"><script>document.title='owned'</script><img src=x onerror=alert(1)>&amp;'"
RIGHT_TO_LEFT = "נעלי ריצה 42 \u202eabc"

CATEGORIES = ("garden", "kitchen", "toys", "lighting", "bath", "office", "outdoor", "sports")
WORDS = ("steel", "lamp", "chair", "red", "water", "bottle", "for", "children", "wireless", "large", "set of 4", "oak")
CONTRACT = {
    "ndcg@10": {"gain": "exp2", "ties": "average", "empty": "skip", "ideal": "listed", "missing": "zero"},
    "mrr@10": {"ties": "average", "empty": "skip", "missing": "zero", "relevant": "label >= 1"},
    "arp": {"ties": "average", "empty": "skip", "missing": "zero"},
}


def figure(values: np.ndarray, tied: int = 0) -> dict[str, Any]:
    """FIGURE of values of lists, NaN: empty; the interval is mean -+ 1.96 standard errors."""
    there = values[~np.isnan(values)]
    mean, half = _mean_and_half(there)
    ends = {"low": None, "high": None} if half is None else {"low": mean - half, "high": mean + half}
    return {"mean": mean, **ends, "lists": len(there), "empty": int(np.isnan(values).sum()), "tied": tied}


def delta(differences: np.ndarray, tests: int = 1) -> dict[str, Any]:
    """DELTA of differences of lists; p by the normal distribution, adjusted by the number of tests."""
    there = differences[~np.isnan(differences)]
    mean, half = _mean_and_half(there)
    names = ("p_t", "p_randomisation", "p_adjusted", "p_holm", "q", "effect", "detectable", "bound_low", "bound_high")
    if half is None:
        return {"mean": mean, "low": None, "high": None, "lists": len(there), **dict.fromkeys(names)}
    error = max(half / 1.96, 1e-9)
    p_value = math.erfc(abs(mean) / error / math.sqrt(2))
    adjusted = min(p_value * tests, 1.0)
    p_values = (p_value, max(p_value, 1 / 1001), max(adjusted, 1 / 1001), adjusted, min(p_value * tests / 2, 1.0))
    figures = (mean / error / math.sqrt(len(there)), 2.8 * error, mean - 3 * error, mean + 3 * error)
    return {
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "lists": len(there),
        **dict(zip(names, (*p_values, *figures), strict=True)),
    }


def _mean_and_half(values: np.ndarray) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return (float(values[0]) if len(values) else None), None
    return float(values.mean()), float(1.96 * values.std(ddof=1) / math.sqrt(len(values)))


def make_report(
    models: Sequence[str] = ("bm25", "network", "trees"),
    baseline: str | None = "bm25",
    metrics: Sequence[str] = ("ndcg@10", "mrr@10", "arp"),
    lists: int = 1200,
    slices: Mapping[str, Sequence[str]] | None = None,
    gain: float = 0.03,
    seed: int = 0,
) -> dict[str, Any]:
    """A report of models of which each is better than the one before by `gain` on average."""
    rng = np.random.default_rng(seed)
    if slices is None:
        slices = {"category": CATEGORIES, "query length": ("1 word", "2 words", "3 words or more")}
    values = _values(models, metrics, lists, gain, rng)
    members = {name: _members(len(named), lists, rng) for name, named in slices.items()}
    for name, named in slices.items():  # the first value of each slice gains, its last one loses
        for model in models[1:]:
            for metric in metrics:
                values[model, metric][members[name] == 0] += 2 * gain * _sign(metric)
                values[model, metric][members[name] == len(named) - 1] -= 2 * gain * _sign(metric)
    tests = sum(map(len, slices.values())) or 1
    compared = [model for model in models if model != baseline] if baseline else []
    report = {
        "kind": "report",
        "format_version": 1,
        "contract": {metric: dict(CONTRACT[metric]) for metric in metrics},
        "higher_is_better": {metric: metric != "arp" for metric in metrics},
        "data": _data(models, lists, int(np.isnan(next(iter(values.values()))).sum()), rng),
        "settings": {
            "confidence": 0.95,
            "draws": 1000,
            "seed": 0,
            "unit": "query",
            "interval": "percentile, poisson bootstrap",
            "min_lists": 30,
        },
        "baseline": baseline,
        "slices": [
            {
                "name": name,
                "scope": "list",
                "merged": 0,
                "values": [_size(value, members[name] == at) for at, value in enumerate(named)],
            }
            for name, named in slices.items()
        ],
        "models": {},
        "comparisons": {},
        "gate": None,
        "calibration": {},
        "notes": [],
    }
    for model in models:
        report["models"][model] = _parts(
            slices, members, {metric: values[model, metric] for metric in metrics}, lambda own: figure(own, 12)
        )
        report["models"][model]["macro"] = {
            name: {
                metric: float(
                    np.nanmean([np.nanmean(values[model, metric][members[name] == at]) for at in range(len(named))])
                )
                for metric in metrics
            }
            for name, named in slices.items()
        }
    for model in compared:
        differences = {metric: values[model, metric] - values[baseline, metric] for metric in metrics}
        parts = _parts(slices, members, differences, lambda own: delta(own, tests))
        parts["overall"] = {metric: delta(own) for metric, own in differences.items()}
        parts["changes"] = {
            metric: _changes(values[model, metric], values[baseline, metric], rng) for metric in metrics
        }
        report["comparisons"][model] = parts
    return report


def _sign(metric: str) -> int:
    return -1 if metric == "arp" else 1


def _values(models, metrics, lists, gain, rng) -> dict[tuple[str, str], np.ndarray]:
    values, empty = {}, rng.random(lists) < 0.03
    for metric in metrics:
        hard = rng.beta(2, 2, lists)
        for at, model in enumerate(models):
            noise = rng.normal(gain * at, 0.15, lists) * (rng.random(lists) < 0.7)
            own = np.clip(hard + noise, 0, 1)
            own = 1 + 12 * (1 - own) if metric == "arp" else own
            values[model, metric] = np.where(empty, np.nan, own)
    return values


def _members(values: int, lists: int, rng) -> np.ndarray:
    """The place of each list's value; the first values are common, the last rare."""
    weights = 1 / np.arange(1, values + 1) ** 0.9
    return rng.choice(values, lists, p=weights / weights.sum())


def _size(value: str, mask: np.ndarray) -> dict[str, Any]:
    lists = int(mask.sum())
    return {"value": value, "lists": lists, "documents": 23 * lists, "small": lists < 30}


def _parts(slices, members, values, measure) -> dict[str, Any]:
    return {
        "overall": {metric: measure(own) for metric, own in values.items()},
        "slices": {
            name: {
                value: {metric: measure(own[members[name] == at]) for metric, own in values.items()}
                for at, value in enumerate(named)
            }
            for name, named in slices.items()
        },
    }


def _changes(model: np.ndarray, baseline: np.ndarray, rng) -> dict[str, Any]:
    differences = model - baseline
    there = np.flatnonzero(~np.isnan(differences))
    order = there[np.argsort(differences[there], kind="stable")]
    limit = float(np.abs(differences[there]).max()) or 1.0
    edges = np.linspace(-limit, limit, 34)
    counts, _ = np.histogram(differences[there], edges)
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "better": int((differences[there] > 0).sum()),
        "same": int((differences[there] == 0).sum()),
        "worse": int((differences[there] < 0).sum()),
        "best": [_query(at, model[at], baseline[at], rng) for at in order[::-1][:6].tolist()],
        "worst": [_query(at, model[at], baseline[at], rng) for at in order[:6].tolist()],
    }


def _query(at: int, model: float, baseline: float, rng) -> dict[str, Any]:
    documents = [
        {
            "id": f"p{at}-{place}",
            "label": None if place == 11 else int(rng.choice(4, p=[0.6, 0.2, 0.1, 0.1])),
            "title": " ".join(rng.choice(WORDS, rng.integers(2, 12))),
        }
        for place in range(14)
    ]
    ranked = {}
    for name in ("model", "baseline"):
        scores = -np.sort(-rng.normal(0, 2, 10))
        chosen = rng.permutation(14)[:10]
        ranked[name] = [{**documents[d], "score": float(s)} for d, s in zip(chosen, scores, strict=True)]
    return {
        "query_id": f"q{at:05}",
        "delta": float(model - baseline),
        "model": float(model),
        "baseline": float(baseline),
        "text": " ".join(rng.choice(WORDS, rng.integers(1, 5))),
        "lists": ranked,
    }


def _data(models: Sequence[str], lists: int, empty: int, rng) -> dict[str, Any]:
    documents = lists * 23
    return {
        "sources": [
            {"file": "scores/test.parquet", "sha256": rng.bytes(32).hex()},
            {"file": "judgments/test.qrels.gz", "sha256": rng.bytes(32).hex()},
        ],
        "queries": lists,
        "documents": documents,
        "empty": empty,
        "missing": {model: 3 * at for at, model in enumerate(models)},
        "judged@10": {model: None if at == 2 else 1 - 0.07 * at for at, model in enumerate(models)},
        "labels": {
            "0": documents - 6 * lists,
            "1": 3 * lists,
            "2": 2 * lists,
            "3": lists,
        },
        "lengths": {"min": 2, "quartile1": 11, "median": 21, "quartile3": 34.5, "max": 100},
    }


GATE = {
    "decision": "INCONCLUSIVE",
    "rules": [
        {
            "rule": "ndcg@10 not worse than bm25 by more than 0.01",
            "decision": "PASS",
            "reason": "lower bound of the difference +0.0231 is above -0.01",
            "figures": {"low": 0.0231, "margin": 0.01},
        },
        {
            "rule": "ndcg@10 not worse by more than 0.02 in any slice of category",
            "decision": "INCONCLUSIVE",
            "reason": "category=outdoor: simultaneous bounds -0.0412 to +0.0133 hold -0.02; 86 lists, 100 needed",
            "figures": {"low": -0.0412, "high": 0.0133, "lists": 86},
        },
        {
            "rule": "empty lists at most 5%",
            "decision": "PASS",
            "reason": "3.0% of the lists have no relevant document",
            "figures": {"share": 0.03},
        },
    ],
}


def calibration_bins(bins: int = 10) -> list[dict[str, Any]]:
    """A rising line with a dent."""
    labels = [0.1 + 0.02 * at**2 - (0.3 if at == 6 else 0.0) for at in range(bins)]
    return [
        {"score": -2.0 + at * 0.5, "label": label, "low": label - 0.08, "high": label + 0.08, "documents": 2760}
        for at, label in enumerate(labels)
    ]


def beyond(models: Sequence[str], baseline: str | None, groups: Sequence[str]) -> dict[str, Any]:
    """Catalogue and exposure: the second model covers most and is most unequal, the first is least so; the first group
    gets half of what it is due from all models, and intervals of its ratio are not known."""
    others = [model for model in models if baseline not in (None, model)]
    coverage = dict(zip(models, (0.4, 0.6, 0.5), strict=False))
    metrics = ("coverage@10", "gini@10")
    catalogue = {
        "items": 2000,
        "listed": 1234,
        "contract": {metric: {"ties": "average"} for metric in metrics},
        "higher_is_better": {"coverage@10": True, "gini@10": False},
        "models": {model: {metric: _estimate(coverage[model]) for metric in metrics} for model in models},
        "comparisons": {
            model: {metric: _estimate(coverage[model] - 0.4, 0.15) for metric in metrics} for model in others
        },
    }
    due = 1 / len(groups)
    shares = [
        {
            "group": group,
            "count": 10,
            "documents": _estimate(due),
            "relevance": _estimate(due),
            "models": {
                model: {
                    "exposure": _estimate((0.5 if at == 0 else 1) * due, 0.001),
                    "difference": _estimate(-0.5 * due if at == 0 else 0.0, 0.001),
                    "ratio": {"mean": 0.5, "low": None, "high": None},
                    "change": _estimate(0.012, 0.001) if model in others else None,
                }
                for model in models
            },
        }
        for at, group in enumerate(groups)
    ]
    lists = {"lists": 45, "left_out": 5, "merged": 7}
    by_brand = {"name": "brand", "attention": "1 / log2(position + 1)", "gain": "exp2", **lists, "groups": shares}
    return {"catalogue": catalogue, "exposure": [by_brand]}


def _estimate(mean: float, half: float = 0.02) -> dict[str, float]:
    return {"mean": mean, "low": mean - half, "high": mean + half}
