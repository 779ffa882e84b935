"""Versions in manifests."""

from __future__ import annotations

import apache_beam
import lightgbm
import numpy
import tensorflow
import tensorflow_transform

from ranker.data.versions import versions


def test_versions_are_those_of_the_packages_that_run():
    found = versions()
    assert found.pop("ranker")
    assert found == {
        "tensorflow": tensorflow.__version__,
        "tensorflow-transform": tensorflow_transform.__version__,
        "apache-beam": apache_beam.__version__,
        "lightgbm": lightgbm.__version__,
        "numpy": numpy.__version__,
    }
