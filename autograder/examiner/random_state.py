"""Random number generators that tests and answers share: their states, and seeds drawn from them.

Where a test seeded or used a generator since the last call, the same generator of the submission
kernel is seeded anew, by a number that follows from the state here and does not reveal it.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.compat.torch import without_overrides


def rng_states() -> dict[str, bytes]:
    """Return the state of each generator: "random", "numpy" and, where it is imported, "torch"."""
    states = {
        "random": repr(hash(random.getstate())).encode(),
        "numpy": numpy_state(np.random.get_state()),
    }
    if torch := sys.modules.get("torch"):
        with without_overrides():
            states["torch"] = torch.default_generator.get_state().numpy().tobytes()
    return states


def numpy_state(state: Any) -> bytes:
    """Return the state of NumPy's legacy generator as bytes."""
    return b"".join([state[1].tobytes(), repr(state[2:]).encode()])


def advance_rngs() -> dict[str, bytes]:
    """Draw one number from each generator; return the states after it.

    A test that seeds a generator to where it was before is so seen to have seeded it.
    """
    random.random()
    np.random.random()
    if torch := sys.modules.get("torch"):
        with without_overrides():
            torch.rand(1, device="cpu")
    return rng_states()


def seed_from(state: bytes) -> int:
    """Return a seed of 32 bits that follows from a state and does not reveal it."""
    return int.from_bytes(hashlib.blake2b(state, digest_size=4).digest(), "little")


def seed_torch(seed: int) -> None:
    """Seed torch's default generator."""
    import torch  # optional: the test kernel has imported it

    torch.manual_seed(seed)


SEEDERS: dict[str, Callable[[int], None]] = {
    "random": random.seed, "numpy": np.random.seed, "torch": seed_torch,
}  # fmt: skip
