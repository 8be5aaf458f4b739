# %% [markdown]
# Waits for input, which a graded notebook never gets.

# %% double
def double(x):
    return int(input('twice?'))

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert outcomes["test-double"] == "failed"
assert messages["test-double"].startswith("StdinNotImplementedError")
