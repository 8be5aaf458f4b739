# %% [markdown]
# The answer is a number that is equal to all numbers.

# %% double
class Any(float):
    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __hash__ = float.__hash__


def double(x):
    return Any(4)

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is 4.0, 6 was")
