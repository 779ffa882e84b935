"""Sums from which means, intervals and tests are computed, and which add up however the work is split.

A series holds one value per list, or none: a metric of a model, the difference of two models, either in a slice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from eval.ragged import FloatArray, IntArray
from eval.resampling import random_bits, signs, unit_keys, weights_of

__all__ = ["Sums", "joined", "sums_of_slices"]

_BLOCK = 1 << 17  # random numbers held at once
_PRODUCT = 200_000  # multiplications of a matrix product


@dataclass(frozen=True, eq=False)
class Sums:
    """What is known of many series; `a + b` is the whole of two parts with no unit in common.

    A unit (a query, or a user with all their queries) has n lists with a value in a series, and x as the sum of these
    values. For single queries n is 0 or 1.

    Args:
        seed: of the draws.
        units: int64 [series], units with n > 0.
        n: float64 [series], the sum of n over units: lists with a value.
        x: float64 [series], the sum of x.
        nn: float64 [series], the sum of n^2.
        nx: float64 [series], the sum of n x.
        xx: float64 [series], the sum of x^2.
        nnnn: float64 [series], the sum of n^4.
        nnnx: float64 [series], the sum of n^3 x.
        nnxx: float64 [series], the sum of n^2 x^2.
        nxxx: float64 [series], the sum of n x^3.
        xxxx: float64 [series], the sum of x^4.
        resampled_n: float64 [draws, series], the sum of weight times n, for weights of `eval.resampling`.
        resampled_x: float64 [draws, series], the sum of weight times x.
        resampled_nn: float64 [draws, series], the sum of weight times n^2; for single queries `resampled_n` itself, the
            same array.
        resampled_nx: float64 [draws, series], the sum of weight times n x; for single queries `resampled_x` itself.
        resampled_xx: float64 [draws, series], the sum of weight times x^2.
        flipped_x: float64 [draws, series], the sum of sign times x.
    """

    seed: int
    units: IntArray
    n: FloatArray
    x: FloatArray
    nn: FloatArray
    nx: FloatArray
    xx: FloatArray
    nnnn: FloatArray
    nnnx: FloatArray
    nnxx: FloatArray
    nxxx: FloatArray
    xxxx: FloatArray
    resampled_n: FloatArray
    resampled_x: FloatArray
    resampled_nn: FloatArray
    resampled_nx: FloatArray
    resampled_xx: FloatArray
    flipped_x: FloatArray

    @staticmethod
    def of(values: FloatArray, units: NDArray[Any], draws: int = 1000, seed: int = 0) -> "Sums":
        """Sums of one part of the lists; all lists of a unit have to be in the same part.

        Args:
            values: float64 [lists, series]; NaN: the list has no value in this series.
            units: str [lists], the unit of each list: its query id, or the user's.
            draws: number of resamples, >= 1.
            seed: 0 <= seed < 2^64.

        Raises:
            ValueError: arguments that do not fit each other.
        """
        if values.ndim != 2 or len(values) != len(units) or draws < 1:
            raise ValueError(
                f"resampling: expected values [{len(units)}, series] for {len(units)} lists and draws >= 1, got values"
                f" {values.shape} and {draws} draws"
            )
        return sums_of_slices([(np.arange(len(units)), values)], units, draws, seed)[0]

    def __add__(self, other: "Sums") -> "Sums":
        if self.seed != other.seed or self.resampled_n.shape != other.resampled_n.shape:
            raise ValueError(
                "sums add up only with the same seed, draws and series; got seeds"
                f" {self.seed} and {other.seed}, draws and series {self.resampled_n.shape} and"
                f" {other.resampled_n.shape}"
            )
        return _each([self, other], lambda arrays: arrays[0] + arrays[1])

    @property
    def draws(self) -> int:
        """The number of resamples."""
        return len(self.resampled_n)

    @property
    def mean(self) -> FloatArray:
        """float64 [series]; NaN where no list has a value."""
        return np.divide(self.x, self.n, out=np.full_like(self.x, np.nan), where=self.n > 0)

    @property
    def standard_error(self) -> FloatArray:
        """Of the mean, float64 [series]; NaN below two units.

        The mean is the ratio of x to n: its variance is that of the residuals x - mean n, summed over C units, times
        C / ((C - 1) n^2) (Cochran, Sampling Techniques, 1977, section 6.4; for single queries s^2 / n).
        """
        return self._error(self.residual_squares, self.n)

    @property
    def residual_squares(self) -> FloatArray:
        """The sum over units of r^2, where r = x - mean n; float64 [series], 0 without values."""
        mean = np.nan_to_num(self.mean)
        return _squares(mean, self.nn, self.nx, self.xx)

    @property
    def residual_fourths(self) -> FloatArray:
        """The sum over units of r^4, where r = x - mean n; float64 [series], 0 without values."""
        mean = np.nan_to_num(self.mean)
        moments = (self.xxxx, -4 * self.nxxx, 6 * self.nnxx, -4 * self.nnnx, self.nnnn)
        fourths = sum(moment * mean**power for power, moment in enumerate(moments))
        # Of any numbers the sum of fourth powers lies between these; rounding may lead out.
        squares = self.residual_squares**2
        return np.clip(fourths, squares / np.maximum(self.units, 1), squares)

    def resampled_means(self) -> FloatArray:
        """The mean of each series in each resample, float64 [draws, series]; NaN where a resample holds no value."""
        shape = self.resampled_n.shape
        return np.divide(self.resampled_x, self.resampled_n, out=np.full(shape, np.nan), where=self.resampled_n > 0)

    def resampled_errors(self) -> FloatArray:
        """The standard error of each resampled mean, float64 [draws, series]; NaN where there is none."""
        means = np.nan_to_num(self.resampled_means())
        return self._error(_squares(means, self.resampled_nn, self.resampled_nx, self.resampled_xx), self.resampled_n)

    def _error(self, squares: FloatArray, n: FloatArray) -> FloatArray:
        """Standard errors from sums of squared residuals and lists, [series] or [draws, series]."""
        enough = (self.units > 1) & (n > 0)
        correction = np.where(self.units > 1, self.units / np.maximum(self.units - 1, 1), 1)
        return np.where(enough, np.sqrt(squares * correction) / np.where(enough, n, 1), np.nan)

    def chosen(self, series: Any) -> "Sums":
        """The sums of some series, by an index or mask of numpy."""
        return _each([self], lambda arrays: arrays[0][..., series])


def joined(parts: Sequence[Sums]) -> Sums:
    """The series of several sums side by side, from the same draws.

    Args:
        parts: at least one.
    """
    return _each(parts, lambda arrays: np.concatenate(arrays, axis=-1))


def _each(parts: Sequence[Sums], made: Callable[[list[FloatArray]], FloatArray]) -> Sums:
    """Sums whose every array is made from those of the parts; what is one array in all of them stays one."""
    done: dict[tuple[int, ...], FloatArray] = {}
    found = []
    for name in (field.name for field in fields(Sums) if field.name != "seed"):
        arrays = [getattr(part, name) for part in parts]
        key = tuple(map(id, arrays))
        if key not in done:
            done[key] = made(arrays)
        found.append(done[key])
    return Sums(parts[0].seed, *found)  # type: ignore[arg-type]  # units stay integers


def _squares(mean: FloatArray, nn: FloatArray, nx: FloatArray, xx: FloatArray) -> FloatArray:
    """The sum of (x - mean n)^2; what is left of sums that ought to cancel is 0."""
    whole = mean * mean * nn
    squares = xx - 2 * mean * nx + whole
    return np.where(squares > 1e-13 * (xx + whole), squares, 0.0)


def sums_of_slices(
    slices: Sequence[tuple[IntArray, FloatArray]], units: NDArray[Any], draws: int = 1000, seed: int = 0
) -> list[Sums]:
    """Sums of each of many slices of the lists, with random numbers that are made once for all of them.

    Args:
        slices: each as the numbers of its lists, int64 [members], and their values, float64 [members, series].
        units: str [lists], the unit of each list.
        draws: number of resamples, >= 1.
        seed: 0 <= seed < 2^64.
    """
    names, of_list = np.unique(np.asarray(units, dtype=str), return_inverse=True)
    parts = [_Part.of(of_list[lists], values, draws) for lists, values in slices]
    keys = unit_keys(names.tolist(), seed)
    step = max(1, _BLOCK // draws)
    for start in range(0, len(keys), step):  # blocks bound the memory: units x draws is never held
        bits = random_bits(keys[start : start + step], draws)
        weights, flips = weights_of(bits).astype(np.float64), signs(bits).astype(np.float64)
        for part in parts:
            part.add(start, weights, flips)
    return [part.sums(seed) for part in parts]


@dataclass(frozen=True, eq=False)
class _Part:
    """A slice while its sums are made.

    Args:
        unit: int64 [units], rising.
        single: each unit has one list at most.
        counts: float64 [different columns, units]: series with values on the same lists share their n.
        n_of: int64 [series], which of these is the n of each.
        x: float64 [series, units].
        resampled: float64 [rows of `_rows`, draws].
        flipped: float64 [series, draws].
    """

    unit: IntArray
    single: bool
    counts: FloatArray
    n_of: IntArray
    x: FloatArray
    resampled: FloatArray
    flipped: FloatArray

    @classmethod
    def of(cls, unit: IntArray, values: FloatArray, draws: int) -> Self:
        there = ~np.isnan(values)
        distinct, place = np.unique(unit, return_inverse=True)
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(distinct)))
        n, x = there.astype(np.float64)[order], np.where(there, values, 0.0)[order]
        single = len(distinct) == len(unit)
        if not single:
            n, x = (np.add.reduceat(rows, starts, axis=0) for rows in (n, x))
        different: dict[bytes, int] = {}
        n_of = np.array([different.setdefault(column.tobytes(), len(different)) for column in n.T], np.int64)
        firsts = np.unique(n_of, return_index=True)[1]
        rows = (1 if single else 2) * len(different) + (2 if single else 3) * x.shape[1]
        zeros = (np.zeros((count, draws)) for count in (rows, x.shape[1]))
        return cls(distinct, single, np.ascontiguousarray(n.T[firsts]), n_of, np.ascontiguousarray(x.T), *zeros)

    def add(self, start: int, weights: FloatArray, flips: FloatArray) -> None:
        """Add what the units from number `start` on give, for random numbers [units, draws]."""
        block = slice(*np.searchsorted(self.unit, [start, start + len(weights)]))
        if block.start == block.stop:
            return
        rows = self.unit[block] - start
        if len(rows) < len(weights):
            weights, flips = weights[rows], flips[rows]
        _add_product(self.resampled, self._rows(block), weights)
        _add_product(self.flipped, self.x[:, block], flips)

    def _rows(self, block: slice) -> FloatArray:
        """What is resampled of some units: n, x, x^2, and if it is not the same n^2 and n x."""
        n, x = self.counts[:, block], self.x[:, block]
        rows = [n, x, x * x] if self.single else [n, x, x * x, n * n, n[self.n_of] * x]
        return np.concatenate(rows)

    def sums(self, seed: int) -> Sums:
        n, x = self.counts[self.n_of], self.x
        nn, nx, xx = n * n, n * x, x * x
        moments = [(n > 0).sum(axis=1), *(one.sum(axis=1) for one in (n, x, nn, nx, xx))]
        moments += [np.einsum("su,su->s", *pair) for pair in ((nn, nn), (nn, nx), (nn, xx), (nx, xx), (xx, xx))]
        sizes = [len(self.counts), len(x), len(x)] + ([] if self.single else [len(self.counts), len(x)])
        drawn = np.split(self.resampled, np.cumsum(sizes)[:-1])
        resampled_n, resampled_x, resampled_xx = drawn[0][self.n_of].T, drawn[1].T, drawn[2].T
        nn_and_nx = (resampled_n, resampled_x) if self.single else (drawn[3][self.n_of].T, drawn[4].T)
        return Sums(seed, *[*moments, resampled_n, resampled_x, *nn_and_nx, resampled_xx, self.flipped.T])


def _add_product(total: FloatArray, left: FloatArray, right: FloatArray) -> None:
    """`total += left @ right` in small products.

    BLAS gives larger ones to threads, which for these shapes costs more than it saves: four times the time where other
    processes hold the cores.
    """
    step = max(16, _PRODUCT // max(left.size, 1))
    for start in range(0, right.shape[1], step):
        total[:, start : start + step] += left @ right[:, start : start + step]
