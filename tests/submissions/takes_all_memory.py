# %% [markdown]
# An array that is much too large for one process.

# %% double
def double(x):
    return len(bytearray(2**40)) and 2 * x

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert outcomes["test-double"] == outcomes["hidden-double"] == "out of memory"
assert "more memory than the limit" in messages["test-double"]
