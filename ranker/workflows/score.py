"""`ranker score`: requests as JSON lines to ranked lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from ranker.bundle import Scorer
from ranker.data.requests import RequestError, parse_request, rank_documents

__all__ = ["score"]


def score(bundle: Path, lines: Iterable[bytes], name: str) -> Iterator[dict[str, Any]]:
    """Rank each request by the canonical call.

    Args:
        bundle: folder of the bundle.
        lines: one JSON request each, empty lines are passed over; the REST route `:rank` takes the same.
        name: of the file, for errors.

    Yields:
        `id`, `missing` features and `results` by falling score.

    Raises:
        RequestError: naming the line.
    """
    with Scorer(bundle) as scorer:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                request = parse_request(orjson.loads(line), scorer.columns)
            except (RequestError, orjson.JSONDecodeError) as error:
                raise RequestError(f"{name}:{number}: {error}") from None
            results = rank_documents(request, scorer.score(request))
            yield {"id": request.query_id, "missing": request.missing, "results": results}
