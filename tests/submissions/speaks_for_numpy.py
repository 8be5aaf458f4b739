# %% [markdown]
# Makes NumPy and torch call it for the results of their functions.

# %% double
class Asked:
    def __array_function__(self, function, types, given, named):
        return True

    def __array_ufunc__(self, *given, **named):
        return True

    @classmethod
    def __torch_function__(cls, function, types, given=(), named=None):
        return True

    def __course_check__(self, helper, given, named):
        return True


def double(x):
    return Asked()

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is <")
