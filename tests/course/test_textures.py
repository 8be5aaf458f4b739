"""Crops of textures: the content of their rectangles, each with its own brightness."""

from __future__ import annotations

import numpy as np
import pytest

from course import data, textures

RECTANGLES = [(0, 0, 64, 64), (448, 192, 512, 256), (100, 37, 164, 101)]


def test_crops_come_in_the_shapes_types_and_order_of_the_docstring():
    images, labels = textures.crops(RECTANGLES, seed=1)
    assert images.shape == (9, 64, 64)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_crop_is_its_rectangle_of_its_photograph_rotated_and_in_another_light():
    images, labels = textures.crops(RECTANGLES, seed=2)
    for image, label, rectangle in zip(images, labels, RECTANGLES * 3, strict=True):
        top, left, bottom, right = rectangle
        original = data.photograph(textures.NAMES[label])[top:bottom, left:right]
        alike = [
            np.corrcoef(np.rot90(original, turns).ravel(), image.ravel())[0, 1]
            for turns in range(4)
        ]
        assert sum(r > 0.95 for r in alike) == 1


def test_light_and_rotation_are_drawn_for_each_crop_by_the_seed():
    same = [RECTANGLES[0]] * 40
    first, _ = textures.crops(same, seed=3)
    again, _ = textures.crops(same, seed=3)
    other, _ = textures.crops(same, seed=4)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    bricks = first[:40].astype(float)
    assert bricks.mean((1, 2)).std() > 15
    deviations = bricks.std((1, 2))
    assert deviations.max() > 2 * deviations.min()
    corners = {tuple(np.sign(b - b.mean())[::63, ::63].ravel()) for b in bricks}
    assert len(corners) > 1


def test_rectangles_may_be_an_array_and_of_any_size():
    images, _ = textures.crops(np.array([(5, 6, 37, 38)]), seed=5)
    assert images.shape == (3, 32, 32)


@pytest.mark.parametrize(
    "rectangle", [(-1, 0, 63, 64), (449, 0, 513, 64), (0, 449, 64, 513), (64, 0, 0, 64)]
)
def test_a_rectangle_outside_of_the_photograph_is_refused(rectangle):
    with pytest.raises(ValueError, match="no rectangle within"):
        textures.crops([rectangle], seed=0)


@pytest.mark.parametrize("rectangles", [[(0, 0, 64, 32)], [(0, 0, 64, 64), (0, 0, 32, 32)]])
def test_rectangles_of_unequal_sides_or_sizes_are_refused(rectangles):
    with pytest.raises(ValueError, match="square"):
        textures.crops(rectangles, seed=0)
