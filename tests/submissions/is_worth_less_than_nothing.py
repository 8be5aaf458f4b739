# %% [markdown]
# The last value of a test is negative.

# %% greet
def greet():
    return 'less'

# %% must
assert points == full_marks | {"test-greet": 0}
assert "one from 0 to 4 was expected" in messages["test-greet"]
