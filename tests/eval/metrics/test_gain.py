import math

import numpy as np
import pytest

from eval.metrics.gain import check_gain, default_gain, gains, least_gainful


def test_gains():
    labels = np.array([0.0, 1.0, 2.0])
    assert gains("exp2", labels).tolist() == [0, 1, 3]
    assert gains("linear", labels).tolist() == [0, 1, 2]
    assert gains("0:0.5:4", labels).tolist() == [0, 0.5, 4]
    assert gains("exp2", np.zeros(0)).tolist() == []


def test_exp2_keeps_its_digits_for_small_labels():
    for label in (1e-18, 1e-6, 2.0**-10, 0.3):
        assert gains("exp2", np.array([label, 5.0]))[0] == pytest.approx(math.expm1(label * math.log(2)), rel=1e-12)


def test_the_lowest_label_with_a_gain():
    assert (least_gainful("exp2"), least_gainful("linear")) == (0, 0)
    assert (least_gainful("0:1"), least_gainful("0:0:0:2")) == (1, 3)


def test_the_default_depends_on_the_largest_label():
    assert (default_gain(10.0), default_gain(10.5)) == ("exp2", "linear")
    assert "linear once a label exceeds 10" in default_gain()


@pytest.mark.parametrize("gain", ["", "0", "1:2", "0:3:1", "0:0", "0:nan", "0:inf", "0:x", "0:-1", "cubic", "0:1:"])
def test_what_is_no_gain_is_refused(gain):
    with pytest.raises(ValueError, match=r"ndcg: gain must be one of exp2, linear or a table .* got"):
        check_gain("ndcg", gain)


@pytest.mark.parametrize("label", [2.0, 0.5])
def test_a_label_outside_the_table_is_refused(label):
    with pytest.raises(ValueError, match=f"label {label:g} is not in the table of gains 0:1"):
        gains("0:1", np.array([1.0, label]))
