# %% [markdown]
# NumPy's and torch's own comparisons always agree. The checks of a lesson do not use them.

# %% double
import numpy as np
import torch

for name in ('assert_equal', 'assert_allclose', 'assert_array_equal', 'assert_almost_equal'):
    setattr(np.testing, name, lambda *_, **__: None)
torch.testing.assert_close = lambda *_, **__: None
torch.equal = torch.allclose = lambda *_, **__: True


def double(x):
    return 4

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is 4, 6 was")
