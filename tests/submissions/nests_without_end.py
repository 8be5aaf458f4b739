# %% [markdown]
# A list that contains itself.

# %% double
def double(x):
    held = []
    held.append(held)
    return held

# %% must
assert points == full_marks | {"test-double": None, "hidden-double": None}
assert outcomes["test-double"] == "to be marked"  # such a list cannot be sent
assert "kernel" not in messages["test-double"]
