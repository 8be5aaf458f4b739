# %% [markdown]
# The module of the checks is replaced by one that accepts everything.

# %% double
import sys
import types


class Agreeing(types.ModuleType):
    def __getattr__(self, name):
        return lambda *_, **__: None


for name in ('course.check.assertions', 'course.check.helpers', 'course.check'):
    sys.modules[name] = check = Agreeing(name)


def double(x):
    return 4

# %% must works_in_one_kernel=true
assert points["hidden-double"] == 0
