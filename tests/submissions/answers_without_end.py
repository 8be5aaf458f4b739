# %% [markdown]
# A generator that never ends, and a list that is as long.

# %% double
def double(x):
    while True:
        pass
    yield x

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
