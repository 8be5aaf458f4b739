# %% [markdown]
# An event loop within the one that a notebook has.

# %% double
import asyncio


async def twice(x):
    return 2 * x


def double(x):
    return asyncio.run(twice(x))

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert "asyncio.run() cannot be called from a running event loop" in messages["test-double"]
