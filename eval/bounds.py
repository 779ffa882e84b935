"""Bounds of many means that hold for all of them together, and decide gates.

The largest deviation of resampled means sets the bounds of all series. It is studentised in each draw (the bootstrap-t
of Hall, The Bootstrap and Edgeworth Expansion, 1992, section 3.10; for many means Romano and Wolf, Econometrica 2005,
without steps): a mean of skewed values, such as losses in few lists, is far from the truth mostly where its standard
error is small too, and one standard error for all draws would not show that.

No resampling tells what few units hide. How many units carry the spread of a series is (sum r^2)^2 / sum r^4 of the
residuals r: of k equal losses among many zeros it is k. With fewer than `FEWEST_UNITS` of these a series has instead
the bounds of sums in which units as large as any seen in the family come at random, so that their number is Poisson
(Garwood, Biometrika 1936): where nothing was seen in n units, 3.7 / n times the largest at confidence 0.975.
"""

import numpy as np

from eval.intervals import FEWEST_UNITS
from eval.ragged import FloatArray
from eval.sums import Sums

__all__ = ["poisson_bounds", "simultaneous_bounds", "value_size"]


def simultaneous_bounds(sums: Sums, confidence: float = 0.95, least_size: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds of the means that all hold together with this confidence, each side by itself.

    With t the resampled mean less the mean, over the resampled standard error, and q the quantile over draws of the
    largest t of all series, the lower bounds are mean - q standard error; the upper ones likewise with -t. Taken is the
    wider of these and of percentile bounds (as far below the mean as the resampled means are, in standard errors of all
    draws), and never what is beyond the bounds for few units (see above). A draw without spread has an infinite t, away
    from the mean.

    Args:
        sums: of the values or differences.
        confidence: between 0 and 1.
        least_size: how large the value of a unit may at least be, seen or not, where bounds rest on few units.

    Returns:
        two float64 [series]; NaN below two units; the mean where all values of the family are 0, or where no series has
        any spread and `least_size` is 0.
    """
    error, mean = sums.standard_error, sums.mean
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    there = error >= 0
    if not sums.xx[there].any():
        return np.where(there, mean, np.nan), np.where(there, mean, np.nan)
    low[there], high[there] = poisson_bounds(sums.chosen(there), confidence, least_size)
    many = there & (error > 0) & (_carriers(sums) >= FEWEST_UNITS)
    if many.any():
        below, above = _reach_of_many(sums.chosen(many), confidence)
        low[many] = np.maximum(low[many], mean[many] - below)
        high[many] = np.minimum(high[many], mean[many] + above)
    return low, high


def poisson_bounds(sums: Sums, confidence: float, least_size: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Bounds of means, each side by itself, where units of one size come at random; they need no resamples.

    Their size is the largest in the family of sqrt(sum r^4 / sum r^2), which for equal losses is the loss; a series has
    sum r^2 / size^2 of them, and of a Poisson number v the upper bound is chi2 / 2 with 2 (v + 1) degrees of freedom.
    Series are taken to be independent (Sidak, JASA 1967).

    Args:
        sums: of the values or differences.
        confidence: between 0 and 1, of all series together.
        least_size: their size is at least this.

    Returns:
        two float64 [series]; NaN without values; the mean where there is no size.
    """
    from scipy.special import chdtri

    squares, fourths = sums.residual_squares, sums.residual_fourths
    sizes = np.sqrt(np.divide(fourths, squares, out=np.zeros_like(squares), where=squares > 0))
    size = max(float(sizes.max(initial=0.0)), least_size)
    if size == 0:
        return sums.mean, sums.mean
    seen = squares / size**2
    most = chdtri(2 * (seen + 1), 1 - confidence ** (1 / max(len(sizes), 1))) / 2
    reach = np.divide((most - seen) * size, sums.n, out=np.full_like(seen, np.nan), where=sums.n > 0)
    return sums.mean - reach, sums.mean + reach


def value_size(sums: Sums) -> FloatArray:
    """How large the values of units are where they are large, sqrt(sum x^4 / sum x^2); float64 [series]."""
    return np.sqrt(np.divide(sums.xxxx, sums.xx, out=np.zeros_like(sums.xx), where=sums.xx > 0))


def _carriers(sums: Sums) -> FloatArray:
    """How many units carry the spread; float64 [series], 0 without spread."""
    squares, fourths = sums.residual_squares, sums.residual_fourths
    return np.divide(squares**2, fourths, out=np.zeros_like(squares), where=fourths > 0)


def _reach_of_many(sums: Sums, confidence: float) -> tuple[FloatArray, FloatArray]:
    """How far lower and upper bounds are from means by the largest deviation, two float64 [series]."""
    error = sums.standard_error
    away = sums.resampled_means() - sums.mean
    own = sums.resampled_errors()
    t = np.divide(away, own, out=np.where(away == 0, 0.0, np.copysign(np.inf, away)), where=own > 0)
    reaches = []
    for sign in (1, -1):
        # A draw that holds no unit of a series tells nothing: it counts as infinitely far on either side.
        largest = (np.where(np.isnan(away), np.inf, one).max(axis=1) for one in (sign * t, -sign * away / error))
        reaches.append(max(0.0, *(_quantile(one, confidence) for one in largest)) * error)
    return reaches[0], reaches[1]


def _quantile(drawn: FloatArray, confidence: float) -> float:
    """Of B draws the one of rank (B + 1) confidence, rounded up; infinite where there are too few for that."""
    return float(np.quantile(np.append(drawn, np.inf), confidence, method="inverted_cdf"))
