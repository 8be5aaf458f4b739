"""Trained models in two parts: the parts are the model; missing weights are one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from course import backbone, pretrained

FILE = "inception_v3_google-0cc3c7bd.pth"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of torch's hub."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> tuple[nn.Module, Path]:
    """Return an untrained Inception v3, and the file of its weights."""
    from torchvision.models import inception_v3

    torch.manual_seed(0)
    model = inception_v3(weights=None, init_weights=False)
    file = tmp_path_factory.mktemp("weights") / FILE
    torch.save(model.state_dict(), file)
    return model.eval(), file


def test_the_two_parts_of_efficientnet_lite0_are_the_model_up_to_its_pool():
    parts, model = backbone.efficientnet_lite0(), pretrained.efficientnet_lite0()
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        maps = parts(images)
        scores = model.fc(model.flatten(model.pool(maps)))
        assert torch.allclose(scores, model(images), atol=1e-5)
    assert maps.shape == (2, 1280, 2, 3)


def test_its_parts_have_as_many_parameters_as_their_docstring_says():
    parts = backbone.efficientnet_lite0()
    counts = [sum(p.numel() for p in part.parameters()) for part in (parts.last, parts)]
    assert counts == [1_017_600, 3_371_008]
    for count in counts:
        assert f"{count:,}" in backbone.efficientnet_lite0.__doc__


def test_it_comes_in_evaluation_mode():
    assert not any(module.training for module in backbone.efficientnet_lite0().modules())


def test_inceptions_weights_are_read_from_the_cache_of_torchs_hub(cache, weights):
    model, file = weights
    (cache / FILE).symlink_to(file)
    parts = backbone.inception_v3()
    images = torch.rand(1, 3, 96, 80, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        maps = parts(images)
        scores = model.fc(maps.mean((2, 3)))
        assert torch.allclose(scores, model(images), atol=1e-4)
    assert maps.shape[1] == 2048
    assert not any(module.training for module in parts.modules())


def test_inceptions_last_part_is_its_last_block(cache, weights):
    model, file = weights
    (cache / FILE).symlink_to(file)
    last = backbone.inception_v3().last
    assert type(last) is type(model.Mixed_7c)
    assert last.state_dict().keys() == model.Mixed_7c.state_dict().keys()


def test_where_inceptions_weights_are_missing_one_line_says_how_to_get_them(cache):
    with pytest.raises(FileNotFoundError, match="downloads nothing") as error:
        backbone.inception_v3()
    message = str(error.value)
    assert "\n" not in message
    assert f"https://download.pytorch.org/models/{FILE}" in message
    assert message.endswith(f"{cache.parent.name}/{cache.name}")


def test_the_place_for_inceptions_weights_is_named_from_the_home_folder_on(cache, monkeypatch):
    monkeypatch.setenv("HOME", str(cache.parents[1]))
    with pytest.raises(FileNotFoundError, match=r"into ~/hub/checkpoints$"):
        backbone.inception_v3()


@pytest.mark.parametrize("content", [b"half a downlo", None])
def test_a_file_that_holds_no_weights_of_inception_is_named(cache, content):
    if content is None:
        torch.save(nn.Linear(2, 2).state_dict(), cache / FILE)
    else:
        (cache / FILE).write_bytes(content)
    with pytest.raises(ValueError, match=FILE):
        backbone.inception_v3()
