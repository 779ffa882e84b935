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
        files: queries, documents and judgments, in any order.
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
    query = _guesses(roles.queries, roles.query_id, ())
    document = _guesses(roles.documents, roles.document_id, [guess.name for guess in query if guess.kind])
    matches = [(q.name, d.name) for q in query if q.kind == "text" for d in document if d.kind == "text"]
    if not any(guess.kind for guess in document):
        raise RankerError(
            f"{roles.documents.path}: no column to make a feature of; "
            + "; ".join(f"{guess.name!r}: {guess.why}" for guess in document)
        )
    if not matches and not any(guess.kind == "numeric" for guess in (*query, *document)):
        raise RankerError(
            f"{roles.queries.path}, {roles.documents.path}: no numeric column, and no text on both sides to match; a "
            f"ranker needs at least one number"
        )
    return Proposal(roles, query, document, matches)


def _guesses(head: Head, key: str, taken: Sequence[str]) -> list[Guess]:
    guesses = []
    for name in head.columns:
        if name == key:
            continue
        if not _NAME.fullmatch(name):
            what = "its name is not one for a feature (a letter, then letters, digits and _); rename the column"
            guesses.append(Guess(name, None, what))
        elif name in RESERVED_NAMES:
            guesses.append(Guess(name, None, "its name is one of the engine's own; rename the column"))
        elif name in taken:
            guesses.append(Guess(name, None, "the queries have a feature of this name; rename the column"))
        else:
            guesses.append(guess_kind(head, name))
    return guesses


# --- writing --------------------------------------------------------------------------------------------------------


def _lines(proposal: Proposal, out: Path) -> Iterator[str]:
    roles = proposal.roles
    yield "# A first spec, guessed by `ranker init` from the first rows of the data. Read it over, change it, then:"
    yield f"#   ranker check {out.name}"
    yield f"#   ranker prepare {out.name} --out dataset"
    yield "#   ranker train dataset --out bundle"
    yield "#   ranker evaluate bundle dataset"
    yield "version: 1"
    yield "data:"
    yield "  sources:"
    yield "    - kind: tables"
    for role in ("queries", "documents", "judgments"):
        head: Head = getattr(roles, role)
        rows = f"{head.rows:,} rows" if head.whole else f"the first {head.rows:,} rows were read"
        yield f"      {role}: {_flow(_path(head.path, out))}   # {rows}"
    yield f"  query_id: {_flow(roles.query_id)}"
    yield f"  document_id: {_flow(roles.document_id)}"
    yield from _label_lines(roles)
    yield "  split: {by: query_hash, valid: 0.2, test: 0.25}   # shares of the queries; the others are for training"
    yield "features:"
    yield from _feature_lines("query", proposal.query)
    yield from _feature_lines("document", proposal.document)
    yield from _match_lines(proposal)
    yield from _model_lines(proposal)
    yield "serving: {model_name: ranker, grpc_port: 8500, rest_port: 8501}"


def _label_lines(roles: Roles) -> Iterator[str]:
    judgments = roles.judgments
    grades = Counter(judgments.number(value) for value in judgments.columns[roles.label])
    counts = ", ".join(f"{grade:g} in {count:,}" for grade, count in sorted(grades.items()))
    yield f"  label: {_flow(roles.label)}   # {counts} rows"
    if 0 not in grades:
        yield "  # No judgment has label 0: only relevant documents were judged, so lists hold no others to rank them"
        yield "  # against. Add documents with label 0 (e.g. what a search by words finds) to the judgments."
    others = [name for name in judgments.columns if name not in (roles.query_id, roles.document_id, roles.label)]
    if others:
        yield f"  # Not used, of the judgments: {', '.join(map(_comment, others))}."


def _feature_lines(side: str, guesses: list[Guess]) -> Iterator[str]:
    if any(guess.kind for guess in guesses):
        yield f"  {side}:"
    for guess in guesses:
        if not guess.kind:
            yield f"    # {_comment(guess.name)} is left out: {guess.why}"
        else:
            transform = ", transform: [log1p, zscore]" if guess.skewed else ""
            yield f"    - {{name: {_flow(guess.name)}, kind: {guess.kind}{transform}}}   # {guess.why}"


def _match_lines(proposal: Proposal) -> Iterator[str]:
    if proposal.matches:
        yield "  match:"
    for query, document in proposal.matches:
        yield f"    - {{kind: bm25, query: {_flow(query)}, document: {_flow(document)}}}"


def _model_lines(proposal: Proposal) -> Iterator[str]:
    names = [f"bm25_{query}_{document}" for query, document in proposal.matches]
    reference = next((name for name in names if len(name) <= _LONGEST_NAME), None)
    yield "models:"
    yield "  - {name: net, kind: self_attention, width: 48, blocks: 1, dropout: 0.2}"
    yield "  - {name: trees, kind: lambdamart}"
    if reference:
        yield f"  - {{name: bm25, kind: single_feature, feature: {reference}}}   # the reference to beat"
    yield "blend: {members: [net, trees]}"
    yield "training: {epochs: 30, patience: 6, seed: 7}"
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
