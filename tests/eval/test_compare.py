import numpy as np
import pytest
from scipy import stats

from eval.compare import paired_differences, paired_t_test


def test_agrees_with_scipy():
    random = np.random.default_rng(1)
    one, two = random.normal(size=40), random.normal(0.3, size=40)
    assert paired_t_test(one - two) == pytest.approx(stats.ttest_rel(one, two).pvalue, rel=1e-9)
    gaps = np.where(np.arange(40) % 4 == 0, np.nan, one - two)
    assert paired_t_test(gaps) == pytest.approx(stats.ttest_1samp(gaps, 0, nan_policy="omit").pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [([], None), ([0.5], None), ([0.5, np.nan], None), ([0.0, 0.0], 1.0), ([0.5, 0.5], 0.0), ([-1.0, 1.0], 1.0)],
)
def test_degenerate_differences(differences, p_value):
    assert paired_t_test(np.array(differences)) == p_value


def test_differences_within_rounding_are_zero():
    values, baseline = np.array([0.1 + 0.2, 0.5, np.nan, 0.7]), np.array([0.3, 0.25, np.nan, np.nan])
    np.testing.assert_array_equal(paired_differences(values, baseline), [0, 0.25, np.nan, np.nan])
