"""Private members of other libraries: one that is missing is named in one line."""

from __future__ import annotations

from importlib import metadata

import pytest
from torch import nn

from course import compat


def test_hooks_of_all_kinds_are_counted() -> None:
    layer = nn.Linear(2, 2)
    assert compat.hook_count(layer) == 0
    handles = [
        layer.register_forward_hook(lambda *_: None),
        layer.register_forward_pre_hook(lambda *_: None),
        layer.register_full_backward_hook(lambda *_: None),
    ]
    assert compat.hook_count(layer) == 3
    for handle in handles:
        handle.remove()
    assert compat.hook_count(layer) == 0


def test_a_missing_member_is_named_with_its_library_and_version() -> None:
    with pytest.raises(ImportError) as caught:
        compat.require_members("torch", nn.Module(), ["_forward_hooks", "_no_such"], "to test it")
    message = str(caught.value)
    assert f"torch {metadata.version('torch')}: Module._no_such is missing" in message
    assert "to test it" in message
    assert "\n" not in message


def test_a_model_of_another_kind_is_rejected() -> None:
    with pytest.raises(compat.CompatibilityError, match=r"efficientnet-lite-pytorch .*_conv_stem"):
        compat.layers(nn.Linear(2, 2))
