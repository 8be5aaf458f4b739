"""The synthetic thin sections are what they say, and what lesson 09 needs them to be."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from course import sections


@pytest.fixture(scope="module")
def some():
    return sections.thin_sections(30, 64, seed=5)


def test_sections_have_the_shapes_and_types_of_the_docstring(some):
    for values in some:
        assert values.shape == (30, 1, 64, 64)
        assert values.dtype == np.float32
    assert set(np.unique(some[1])) == {0, 1}
    assert 0.4 < some[0].mean() < 0.65
    assert np.mean((some[0] >= -0.1) & (some[0] <= 1.2)) > 0.98


def test_a_seed_gives_the_same_sections_another_one_others(some):
    again, other = sections.thin_sections(30, 64, seed=5), sections.thin_sections(30, 64, seed=6)
    assert np.array_equal(again[0], some[0])
    assert np.array_equal(again[1], some[1])
    assert not np.array_equal(other[1], some[1])
    assert not np.array_equal(some[1][0], some[1][1])


def test_pores_cover_a_fifth_to_two_fifths_of_each_section(some):
    porosity = some[1].mean((1, 2, 3))
    assert porosity.min() >= 0.19
    assert porosity.max() <= 0.41
    assert np.ptp(porosity) > 0.1


@pytest.mark.parametrize("size", [32, 64, 96])
def test_sections_come_in_any_size(size):
    assert sections.thin_sections(2, size, 0)[0].shape == (2, 1, size, size)


def test_no_grey_value_separates_pores_from_grains(some):
    def iou(mask):
        return (mask & pores).sum() / (mask | pores).sum()

    images, pores = some[0], some[1] == 1
    assert max(iou(images < bound) for bound in np.linspace(0, 1, 50)) < 0.7
    assert iou(np.stack([image < threshold_otsu(image) for image in images])) < 0.7


def test_a_pore_is_darker_than_the_grains_beside_it_and_smoother(some):
    images, pores = some[0][:, 0], some[1][:, 0] == 1
    step = np.diff(images, axis=2)
    into, within, without = (
        pores[:, :, 1:] & ~pores[:, :, :-1],
        pores[:, :, 1:] & pores[:, :, :-1],
        ~pores[:, :, 1:] & ~pores[:, :, :-1],
    )
    assert step[into].mean() < -0.1
    assert step[within].std() < 0.6 * step[without].std()
