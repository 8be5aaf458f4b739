# %% [markdown]
# An honest error whose text holds half of a surrogate pair.

# %% double
def double(x):
    raise ValueError("half \ud800 of it")

# %% must
assert outcomes["test-double"] == "failed"
assert "half \\ud800 of it" in messages["test-double"]
assert points["test-greet"] == 4
