# %% [markdown]
# The last value of a test is not a number.

# %% greet
def greet():
    return 'nothing'

# %% must
assert points == full_marks | {"test-greet": 0}
assert "one from 0 to 4 was expected" in messages["test-greet"]
