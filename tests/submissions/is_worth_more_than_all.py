# %% [markdown]
# The last value of a test is more than its points.

# %% greet
def greet():
    return 'more'

# %% must
assert points == full_marks | {"test-greet": 0}
assert "one from 0 to 4 was expected" in messages["test-greet"]
