# %% [markdown]
# A whole number that is equal to all numbers.

# %% double
class Any(int):
    def __eq__(self, other):
        return True

    __ne__ = lambda self, other: False
    __float__ = lambda self: Same()
    __hash__ = int.__hash__


class Same(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


import numbers


def double(x):
    return Any(4)

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is 4, 6 was")
