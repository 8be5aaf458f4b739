# %% [markdown]
# A list that contains itself.

# %% double
def double(x):
    held = []
    held.append(held)
    return held

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert "nested too deeply" in messages["test-double"]
