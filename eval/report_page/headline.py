"""What the report says in a sentence or two."""

from dataclasses import dataclass

from markupsafe import Markup

from eval.report_page.figures import count, interval, number, share, signed
from eval.report_page.reading import Figures, Reading

__all__ = ["Fact", "Headline", "headline"]


# By the outcome of the best model, and whether there are several.
_CLAIMS = {
    ("better", False): Markup("{best} ranks better than {baseline}"),
    ("better", True): Markup("{best} ranks better than {baseline}"),
    ("worse", False): Markup("{best} ranks worse than {baseline}"),
    ("worse", True): Markup("No model ranks better than {baseline}"),
    ("unclear", False): Markup("No clear difference between {best} and {baseline}"),
    ("unclear", True): Markup("No model is clearly better than {baseline}"),
}

_WITHIN_CHANCE = Markup(" That is within chance: with these lists, differences of about {} or more would be found.")
_SEVERAL = Markup(" Of the {} models compared with the baseline {}; they are not tested against each other.")
_BEST = Markup("it has the best mean")
_NOT_BEST = Markup("{} has a better mean, but its difference may be chance")


@dataclass(frozen=True)
class Fact:
    """A figure that stands by itself: what it is, the figure, and what belongs to it."""

    name: str
    figure: str
    note: str


@dataclass(frozen=True)
class Headline:
    """The head of the page.

    Args:
        title: plain text, for the browser's tab.
        claim: which model is best, as a heading.
        evidence: by how much, and how sure that is.
        facts: figures beside it.
    """

    title: str
    claim: Markup
    evidence: Markup
    facts: tuple[Fact, ...]


def headline(reading: Reading) -> Headline:
    """Speaks of the first metric: of the best model against the baseline, or of what each model reaches."""
    claim, evidence = _compared(reading) if reading.challengers else _alone(reading)
    title = "Ranking evaluation: " + ", ".join(reading.models)
    return Headline(title, claim, evidence, tuple(_facts(reading)))


def _compared(reading: Reading) -> tuple[Markup, Markup]:
    metric, baseline = reading.metrics[0], str(reading.baseline)
    best = reading.leader
    delta = reading.delta(best, metric)
    claim = _CLAIMS[reading.overall_outcome(metric, delta), len(reading.challengers) > 1].format(
        best=_name(best), baseline=_name(baseline)
    )
    if delta.get("mean") is None:
        return claim, Markup("There is no list on which they could be compared.")
    sentence = Markup("On {}, {} reaches {} and the baseline {} {}: a difference of <b>{}</b>{} ({}).").format(
        Markup("<b>{}</b>").format(metric),
        _name(best),
        number(reading.overall(best, metric).get("mean")),
        _name(baseline),
        number(reading.overall(baseline, metric).get("mean")),
        signed(delta["mean"]),
        _relative(delta["mean"], reading.overall(baseline, metric).get("mean")),
        _ends(reading, delta, sign=True),
    )
    return claim, sentence + _caution(reading, delta)


def _caution(reading: Reading, delta: Figures) -> Markup:
    """What keeps the sentence from being read as more than it says."""
    parts = []
    if reading.overall_outcome(reading.metrics[0], delta) == "unclear" and delta.get("detectable") is not None:
        parts.append(_WITHIN_CHANCE.format(number(delta["detectable"])))
    if len(reading.challengers) > 1:
        largest = reading.best(reading.challengers)
        own = _BEST if largest == reading.leader else _NOT_BEST.format(_name(largest))
        parts.append(_SEVERAL.format(len(reading.challengers), own))
    return Markup().join(parts)


def _alone(reading: Reading) -> tuple[Markup, Markup]:
    metric = reading.metrics[0]
    best = reading.leader
    own = reading.overall(best, metric)
    if len(reading.models) == 1:
        claim = Markup("{} reaches {} {}").format(_name(best), metric, number(own.get("mean")))
        evidence = Markup("The mean over {} lists ({}). Nothing to compare it with was given.")
        return claim, evidence.format(count(own.get("lists")), _ends(reading, own))
    claim = Markup("{} has the best {}: {}").format(_name(best), metric, number(own.get("mean")))
    evidence = Markup(
        "The mean over {} lists ({}). No baseline was named, so the models are not tested against each other."
    )
    return claim, evidence.format(count(own.get("lists")), _ends(reading, own))


def _facts(reading: Reading) -> list[Fact]:
    data, metric = reading.report["data"], reading.metrics[0]
    facts = [Fact("Queries", count(data["queries"]), f"{count(data['documents'])} documents")]
    if not reading.challengers:
        return [*facts, Fact("Without a relevant document", count(data["empty"]), _of(data["empty"], data["queries"]))]
    best = reading.leader
    changes = reading.changes(best, metric)
    if changes:
        total = sum(changes[name] for name in ("better", "same", "worse"))
        facts.append(Fact("Queries better", count(changes["better"]), _of(changes["better"], total)))
        facts.append(Fact("Queries worse", count(changes["worse"]), _of(changes["worse"], total)))
    values = list(reading.slice_values())
    if values:
        outcomes = [
            reading.outcome(metric, reading.delta_in_slice(best, metric, part["name"], value["value"]))
            for part, value in values
        ]
        figure = f"{count(outcomes.count('better'))} / {count(outcomes.count('worse'))}"
        facts.append(Fact("Slices better / worse", figure, f"beyond chance, of {count(len(values))}"))
    return facts


def _of(part: int, whole: int) -> str:
    return f"{share(part / whole if whole else None)} of {count(whole)}"


def _relative(delta: float, baseline: float | None) -> str:
    return f" or {signed(100 * delta / baseline, 1)}%" if baseline and baseline > 0 else ""


def _ends(reading: Reading, figures: Figures, *, sign: bool = False) -> str:
    if figures.get("low") is None or figures.get("high") is None:
        return "too few lists for an interval"
    return f"{reading.level} interval {interval(figures['low'], figures['high'], sign=sign)}"


def _name(model: str) -> Markup:
    return Markup('<bdi class="model">{}</bdi>').format(model)
