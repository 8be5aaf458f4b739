# %% [markdown]
# An object that is registered as a number, and equal to all.

# %% double
import numbers


class Any:
    def __float__(self):
        return 4.0

    def __eq__(self, other):
        return True

    __ne__ = lambda self, other: False
    __hash__ = lambda self: 4


numbers.Real.register(Any)


def double(x):
    return 4 if x == 2 else Any()

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is <")
