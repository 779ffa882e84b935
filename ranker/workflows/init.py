"""`ranker init`: a first spec, guessed from the data and commented."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ranker.errors import RankerError
from ranker.spec import load_spec
from ranker.spec.section import RESERVED_NAMES
from ranker.workflows.head import Head, read_head
from ranker.workflows.kinds import Guess, guess_kind
from ranker.workflows.roles import Roles, tell_roles

__all__ = ["Proposal", "init"]

_ROWS = 50_000  # read of each file: the more, the surer it is which columns are keys
_LONGEST_NAME = 64
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST_NAME - 1}}}")


@dataclass(frozen=True)
class Proposal:
    """What was guessed; `roles` say from which file."""

    roles: Roles
    query: list[Guess]
    document: list[Guess]
    matches: list[tuple[str, str]]


def init(files: Sequence[Path], out: Path) -> Proposal:
    """Write a spec for some tables.

    Args:
        files: queries, documents and judgments, in any order, or one table with everything in it.
        out: the spec; there may not be one yet.

    Raises:
        RankerError: if `out` exists, a file cannot be read, or it cannot be told which file holds what.
    """
    if out.exists():
        raise RankerError(f"{out}: exists, and is not overwritten; name another file with --out")
    proposal = _propose([read_head(path, _ROWS) for path in dict.fromkeys(files)])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in _lines(proposal, out))
    except OSError as error:
        raise RankerError(f"{out}: cannot write: {error.strerror}") from None
    load_spec(out)
    return proposal


def _propose(heads: list[Head]) -> Proposal:
    roles = tell_roles(heads)
    query = _guesses(roles, roles.queries, ())
    document = _guesses(roles, roles.documents, [guess.name for guess in query if guess.kind])
    matches = [(q.name, d.name) for q in query if q.kind == "text" for d in document if d.kind == "text"]
    if not any(guess.kind for guess in document):
        raise RankerError(
            f"{roles.documents.path}: no column to make a feature of; "
            + "; ".join(f"{guess.name!r}: {guess.why}" for guess in document)
        )
    if not matches and not any(guess.is_number for guess in (*query, *document)):
        files = dict.fromkeys((str(roles.queries.path), str(roles.documents.path)))
        raise RankerError(
            f"{', '.join(files)}: no numeric column, and no text on both sides to match; a "
            f"ranker needs at least one number"
        )
    return Proposal(roles, query, document, matches)


def _guesses(roles: Roles, head: Head, taken: Sequence[str]) -> list[Guess]:
    guesses = []
    taken_otherwise: list[str | None] = [roles.document_id]
    if head is roles.queries:
        taken_otherwise = [roles.query_id, None if roles.timestamp in roles.judgments.columns else roles.timestamp]
    for name in head.columns:
        if name in taken_otherwise:
            continue
        if not _NAME.fullmatch(name):
            what = "its name is not one for a feature (a letter, then letters, digits and _); rename the column"
            guesses.append(Guess(name, None, what))
        elif name in RESERVED_NAMES:
            guesses.append(Guess(name, None, "its name is one of the engine's own; rename the column"))
        elif name in taken:
            guesses.append(Guess(name, None, "the queries have a feature of this name; rename the column"))
        elif roles.position is not None and name in ("position", roles.position):
            guesses.append(Guess(name, None, "a position is not known before documents are ranked; rename the column"))
        else:
            guesses.append(_usable(roles, guess_kind(head, name)))
    return guesses


def _usable(roles: Roles, guess: Guess) -> Guess:
    """An age needs a moment from which it is counted."""
    if guess.kind != "date" or roles.timestamp is not None:
        return guess
    what = "an age needs data.timestamp, a column of the judgments or queries that says when a query was asked"
    return Guess(guess.name, None, f"dates, {guess.why}; {what}")


# --- writing --------------------------------------------------------------------------------------------------------


def _lines(proposal: Proposal, out: Path) -> Iterator[str]:
    roles = proposal.roles
    yield "# A first spec, guessed by `ranker init` from the first rows of the data. Read it over, change it, then:"
    yield f"#   ranker check {out.name}"
    yield f"#   ranker prepare {out.name} --out dataset"
    yield f"#   ranker train {out.name} --dataset dataset --out bundle"
    yield "#   ranker evaluate bundle dataset"
    yield "version: 1"
    yield "data:"
    yield "  sources:"
    yield f"    - kind: {'table' if roles.one_table else 'tables'}"
    files = {"file": roles.judgments}
    if not roles.one_table:
        files = {"queries": roles.queries, "documents": roles.documents, "judgments": roles.judgments}
    for role, head in files.items():
        rows = f"{head.rows:,} rows" if head.whole else f"the first {head.rows:,} rows were read"
        yield f"      {role}: {_flow(_path(head.path, out))}   # {rows}"
    yield f"  query_id: {_flow(roles.query_id)}"
    yield f"  document_id: {_flow(roles.document_id)}"
    yield from _label_lines(proposal)
    yield "  split: {by: query_hash, valid: 0.2, test: 0.25}   # shares of the queries; the others are for training"
    if roles.timestamp is not None:
        yield "  # With by: time the latest lists are for test, which is nearer to what the ranker will meet."
    yield "features:"
    yield from _feature_lines("query", proposal.query)
    yield from _feature_lines("document", proposal.document)
    yield from _match_lines(proposal)
    yield from _model_lines(proposal)
    yield "serving: {model_name: ranker, grpc_port: 8500, rest_port: 8501}"


def _label_lines(proposal: Proposal) -> Iterator[str]:
    roles = proposal.roles
    judgments = roles.judgments
    grades = Counter(judgments.number(value) for value in judgments.columns[roles.label])
    counts = ", ".join(f"{grade:g} in {count:,}" for grade, count in sorted(grades.items()))
    yield f"  label: {_flow(roles.label)}   # {counts} rows"
    if 0 not in grades:
        yield "  # No judgment has label 0: if only relevant documents were judged, lists hold no others to rank them"
        yield f"  # against. {_others(proposal)}"
    if roles.weight is not None:
        yield f"  weight: {_flow(roles.weight)}   # importance in the loss"
    if roles.position is not None:
        yield f"  position: {_flow(roles.position)}   # rank at which the document was shown"
    if roles.timestamp is not None:
        yield f"  timestamp: {_flow(roles.timestamp)}   # {_times(roles)}; ages of dates are counted to it"
    others = [name for name in judgments.columns if name not in roles.of_judgments]
    if others and not roles.one_table:
        yield f"  # Not used, of the judgments: {', '.join(map(_comment, others))}. What is known of a document for a"
        yield "  # query before it is ranked can be a feature under features.pair."


def _others(proposal: Proposal) -> str:
    """How to have documents that nobody judged in the lists."""
    if proposal.roles.one_table:
        return "Add rows with label 0, e.g. of what a search by words finds."
    wanted = "{from: sample, n: 100}"
    if proposal.matches:
        query = proposal.matches[0][0]
        texts = ", ".join(_flow(document) for name, document in proposal.matches if name == query)
        wanted = f"{{from: bm25, k: 100, query: {_flow(query)}, document: [{texts}]}}"
    return f"This takes others, with label 0:\n  # candidates: {wanted}"


def _times(roles: Roles) -> str:
    name = str(roles.timestamp)
    return guess_kind(roles.judgments if name in roles.judgments.columns else roles.queries, name).why


def _feature_lines(side: str, guesses: list[Guess]) -> Iterator[str]:
    if any(guess.kind for guess in guesses):
        yield f"  {side}:"
    for guess in guesses:
        if not guess.kind:
            yield f"    # {_comment(guess.name)} is left out: {guess.why}"
        else:
            yield f"    - {{name: {_flow(guess.name)}, kind: {guess.kind}{_options(guess)}}}   # {guess.why}"


def _options(guess: Guess) -> str:
    """Further keys of a feature."""
    transform = ", transform: [log1p, zscore]" if guess.skewed else ""
    separator = f", separator: {_quoted(guess.separator)}" if guess.separator else ""
    many = f", multivalued: true{separator}" if guess.multivalued else ""
    if guess.one_hot is not None:  # an embedding of several values is nothing to trees
        many += f", encode: one_hot, vocabulary: {{top_k: {guess.one_hot}}}"
    width = f", width: {guess.width}" if guess.width else ""
    return transform + many + width


def _quoted(text: str) -> str:
    return f'"{text}"'


def _match_lines(proposal: Proposal) -> Iterator[str]:
    if proposal.matches:
        yield "  match:"
    for query, document in proposal.matches:
        yield f"    - {{kind: bm25, query: {_flow(query)}, document: {_flow(document)}}}"


def _model_lines(proposal: Proposal) -> Iterator[str]:
    names = [f"bm25_{query}_{document}" for query, document in proposal.matches]
    reference = next((name for name in names if len(name) <= _LONGEST_NAME), None)
    yield "models:"
    yield "  - {name: net, kind: self_attention}"
    yield "  - {name: trees, kind: lambdamart}"
    if reference:
        yield f"  - {{name: bm25, kind: single_feature, feature: {reference}}}   # the reference to beat"
    yield "blend: {members: [net, trees]}"
    yield "training: {seed: 7}"
    yield f"evaluation: {{metrics: [ndcg@10]{', baseline: bm25' if reference else ''}}}"


def _path(path: Path, out: Path) -> str:
    """Relative if it is below the folder of the spec: then both can be moved together."""
    path, folder = path.resolve(), out.resolve().parent
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _flow(value: Any) -> str:
    """A value as YAML, quoted where it has to be."""
    return yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=float("inf")).strip()[1:-1]


def _comment(name: str) -> str:
    return name if name.isprintable() else ascii(name)
