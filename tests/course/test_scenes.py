"""The canvases of lesson 11 are what they say, and what the lesson needs them to be."""

from __future__ import annotations

import numpy as np
import pytest

from course import data, scenes


@pytest.fixture(scope="module")
def digits():
    images, labels = data.digits()
    return images[::10], labels[::10]


@pytest.fixture(scope="module")
def some(digits):
    return scenes.digit_scenes(*digits, n=40, size=64, seed=5)


def test_scenes_have_the_shapes_and_types_of_the_docstring(some):
    canvases, boxes, labels = some
    assert canvases.shape == (40, 1, 64, 64)
    assert canvases.dtype == np.float32
    assert {box.dtype for box in boxes} == {np.dtype(np.float32)}
    assert {label.dtype for label in labels} == {np.dtype(np.int64)}
    counts = [len(box) for box in boxes]
    assert counts == [len(label) for label in labels]
    assert min(counts) >= 1
    assert max(counts) == 5


def test_a_seed_gives_the_same_scenes_another_one_others(digits, some):
    again, other = (scenes.digit_scenes(*digits, n=40, size=64, seed=seed) for seed in (5, 6))
    assert np.array_equal(again[0], some[0])
    assert all(map(np.array_equal, again[1], some[1]))
    assert not np.array_equal(other[0], some[0])


def test_each_box_lies_on_the_canvas_and_is_tight_around_ink(some):
    for canvas, boxes, _ in zip(*some, strict=True):
        for x1, y1, x2, y2 in boxes.astype(int):
            assert 0 <= x1 < x2 <= 64
            assert 0 <= y1 < y2 <= 64
            ink = canvas[0, y1:y2, x1:x2]
            edges = (ink[0], ink[-1], ink[:, 0], ink[:, -1])
            assert all(edge.max() > scenes.INK - 5 * scenes.NOISE for edge in edges)


def test_there_is_no_ink_outside_of_the_boxes(some):
    for canvas, boxes, _ in zip(*some, strict=True):
        paper = np.ones((64, 64), dtype=bool)
        for x1, y1, x2, y2 in boxes.astype(int):
            paper[y1:y2, x1:x2] = False
        assert canvas[0][paper].max() < 6 * scenes.NOISE


def test_boxes_hardly_overlap_and_their_centres_are_in_different_cells(some):
    for boxes in some[1]:
        cells = {tuple(cell) for cell in ((boxes[:, :2] + boxes[:, 2:]) / 2 // 8).tolist()}
        assert len(cells) == len(boxes)
        for k, (x1, y1, x2, y2) in enumerate(boxes):
            for u1, v1, u2, v2 in boxes[k + 1 :]:
                both = max(0, min(x2, u2) - max(x1, u1)) * max(0, min(y2, v2) - max(y1, v1))
                either = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - both
                assert both / either <= scenes.OVERLAP + 1e-6


def test_digits_come_in_many_sizes(some):
    heights = np.concatenate([boxes[:, 3] - boxes[:, 1] for boxes in some[1]])
    assert heights.min() < 13
    assert heights.max() > 19
