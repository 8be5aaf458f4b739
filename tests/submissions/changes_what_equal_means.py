# %% [markdown]
# All numbers of NumPy are equal to each other.

# %% double
import numpy as np


class Agreeing(np.ndarray):
    def __eq__(self, other):
        return np.True_

    def item(self):
        return Same(4.0)


class Same(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__

    def __float__(self):
        return self


def double(x):
    return np.array(4.0).view(Agreeing)

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is 4.0, 6 was")
