"""The click log of the made-up store: impressions of an imperfect ranker, and clicks by the position-based model.

An impression shows a customer the first K documents of a list. With utility and label as in
`ranker.data.store.generator`, for query q, document d and impression i:

    order:  descending by  score(q, d, i) = utility(q, d) + Normal(0, 1), one draw for each (q, d)
                                            + Normal(0, 0.5), one draw for each (q, d, i)
    click:  P(click on d at position k) = examination(k) attraction(label(q, d)), each drawn alone
            examination(k) = (1 / k)^eta
            attraction(y)  = 0.1 + 0.9 (2^y - 1) / (2^4 - 1)

This is the position-based model (Richardson et al., WWW 2007; Craswell et al., WSDM 2008). Its examination is that of
the simulations of Joachims et al. (WSDM 2017). Attraction is the gain of the label (Chapelle et al., CIKM 2009) with
noise: a document of no use is clicked once in ten times that it is examined (Chuklin et al., Click Models for Web
Search, 2015, call it attractiveness).

By lot, some impressions are changed, which the column `experiment` says:

    shuffled    a tenth: the K documents in random order
    swap 1 k    a tenth: the documents at positions 1 and k (2 to K, each as likely) have changed places
    swap k k+1  a tenth: likewise those at two neighbouring positions

The others, with an empty `experiment`, are the control group of all three. Queries differ in how often they are asked:
the one with popularity rank r (by lot) 1 / r^0.7 times as often as the first. Times are spread evenly over 90 days.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

__all__ = ["PERIOD", "START", "ClickLog", "truth_of_clicks"]

START = 1_735_689_600  # 2025-01-01 in UTC, seconds since 1970
PERIOD = 90 * 86_400  # seconds

_NOISE_CLICKS = 0.1
_MOST_RELEVANT = 4
_RANKER_NOISE, _RANKER_CHANGES = 1.0, 0.5
_EXPERIMENT_SHARES = {"shuffled": 0.1, "swap of the first": 0.1, "swap of neighbours": 0.1}
_POPULARITY_DECAY = 0.7
_MOST_CELLS = 1_000_000  # (impression, document) pairs that are worked on at once

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


def examination(positions: int, eta: float) -> _Floats:
    """Probability that the document at each position is looked at, `[positions]`."""
    return np.arange(1, positions + 1, dtype=np.float64) ** -eta


def attraction() -> _Floats:
    """Probability of a click on a document that is looked at, for each label `[5]`."""
    gain = 2.0 ** np.arange(_MOST_RELEVANT + 1) - 1
    return _NOISE_CLICKS + (1 - _NOISE_CLICKS) * gain / gain[-1]


def truth_of_clicks(positions: int, eta: float) -> str:
    """What is planted in a click log, as JSON: examination by position, attraction by label, shares of experiments."""
    truth = {
        "click_model": "position-based",
        "eta": eta,
        "examination": examination(positions, eta).tolist(),
        "attraction": attraction().tolist(),
        "experiments": _EXPERIMENT_SHARES if positions > 1 else {},
    }
    return json.dumps(truth, indent=2) + "\n"


class ClickLog:
    """Writes impressions as Parquet, list by list: memory does not grow with their number.

    A row per document shown: impression_id, query_id, timestamp, document_id, position (from 1), score (by which the
    ranker ordered), clicked (0 or 1), experiment. The rows of an impression are together; impressions of lists that
    were added together are in the order of time.
    """

    def __init__(
        self, file: BinaryIO, rng: np.random.Generator, *, queries: int, impressions: int, positions: int, eta: float
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        self._rng = rng
        self._examination = examination(positions, eta)
        self._popularity = (rng.permutation(queries) + 1.0) ** -_POPULARITY_DECAY
        self._left, self._written = impressions, 0
        text = pa.string()
        self._schema = pa.schema(
            {
                "impression_id": text,
                "query_id": text,
                "timestamp": pa.timestamp("ms", "UTC"),
                "document_id": text,
                "position": pa.int32(),
                "score": pa.float32(),
                "clicked": pa.int8(),
                "experiment": text,
            }
        )
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, query_ids: list[str], document_ids: npt.NDArray[np.object_], utility: _Floats, label: _Ints) -> None:
        """Draw and write the impressions of the next lists; the arrays are `[lists, documents]`."""
        lists, size = utility.shape
        popularity, rest = np.split(self._popularity, [lists])
        share = popularity.sum() / (popularity.sum() + rest.sum()) if len(rest) else 1.0
        impressions = int(self._rng.binomial(self._left, share))
        self._popularity = rest
        self._left -= impressions
        ranker = utility + self._rng.normal(0.0, _RANKER_NOISE, utility.shape)
        slices = 1 + impressions * size // _MOST_CELLS
        bounds = START + PERIOD * np.arange(slices + 1) / slices
        counts = self._rng.multinomial(impressions, np.full(slices, 1 / slices))
        for count, first, last in zip(counts.tolist(), bounds[:-1], bounds[1:], strict=True):
            of_list = self._rng.choice(lists, size=count, p=popularity / popularity.sum())
            times = np.sort(self._rng.uniform(first, last, count))
            score = ranker[of_list] + self._rng.normal(0.0, _RANKER_CHANGES, (count, size))
            shown, experiment = self._show(score)
            attracted = attraction()[np.take_along_axis(label[of_list], shown, axis=1)]
            clicked = self._rng.random(shown.shape) < self._examination[: shown.shape[1]] * attracted
            of_impression = {
                "query_id": np.array(query_ids, object)[of_list],
                "timestamp": np.floor(times * 1000).astype(np.int64),
                "experiment": experiment,
            }
            of_document = {
                "document_id": np.take_along_axis(document_ids[of_list], shown, axis=1),
                "score": np.take_along_axis(score, shown, axis=1),
                "clicked": clicked,
            }
            self._write(of_impression, of_document)

    def _show(self, score: _Floats) -> tuple[_Ints, npt.NDArray[np.object_]]:
        """Places of the documents shown `[impressions, positions]`, first position first, and the experiments."""
        rng, count = self._rng, len(score)
        positions = min(len(self._examination), score.shape[1])
        shown = np.argsort(-score, axis=1)[:, :positions]
        experiment = np.full(count, "", object)
        if positions == 1:
            return shown, experiment
        shares = np.array(list(_EXPERIMENT_SHARES.values()))
        lot = np.searchsorted(np.cumsum(shares), rng.random(count), side="right")
        shuffled = np.flatnonzero(lot == 0)
        shown[shuffled] = rng.permuted(shown[shuffled], axis=1)
        experiment[shuffled] = "shuffled"
        swapped = np.flatnonzero((lot == 1) | (lot == 2))
        lower = rng.integers(1, positions, len(swapped))
        upper = np.where(lot[swapped] == 1, 0, lower - 1)
        shown[swapped, upper], shown[swapped, lower] = shown[swapped, lower], shown[swapped, upper]
        names = np.array([[f"swap {i + 1} {j + 1}" for j in range(positions)] for i in range(positions)], object)
        experiment[swapped] = names[upper, lower]
        return shown, experiment

    def _write(self, of_impression: dict[str, npt.NDArray[Any]], of_document: dict[str, npt.NDArray[Any]]) -> None:
        """Arrays `[impressions]`, and `[impressions, positions]` by position."""
        import pyarrow as pa

        count, positions = of_document["clicked"].shape
        ids = [f"i{number:08d}" for number in range(self._written, self._written + count)]
        values = {name: np.repeat(array, positions) for name, array in of_impression.items()}
        values |= {name: array.ravel() for name, array in of_document.items()}
        values["impression_id"] = np.repeat(np.array(ids, object), positions)
        values["position"] = np.tile(np.arange(1, positions + 1), count)
        values["clicked"] = values["clicked"].astype(np.int8)
        arrays = [pa.array(values[field.name]).cast(field.type, safe=False) for field in self._schema]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._written += count
