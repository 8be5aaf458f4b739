# %% [markdown]
# Calls itself, and again.

# %% double
def double(x):
    return double(x)

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert "recursion" in messages["hidden-double"]
