# %% [markdown]
# A tensor of many numbers says that it is a single one.

# %% double
import torch


class Liar(torch.Tensor):
    ndim = 0
    shape = torch.Size([])

    def item(self):
        import sys

        frame = sys._getframe()
        while frame and 'expected' not in frame.f_locals:
            frame = frame.f_back
        return frame.f_locals['expected'] if frame else 4


def double(x):
    return torch.full((3,), 4.0).as_subclass(Liar)

# %% must works_in_one_kernel=true
assert points["test-double"] == points["hidden-double"] == 0
