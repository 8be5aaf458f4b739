# %% [markdown]
# Agrees by every method that an object can have.

# %% double
class Everything:
    def __getattr__(self, name):
        return self

    def __call__(self, *_, **__):
        return self

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __hash__ = lambda self: 0
    __bool__ = lambda self: True
    __len__ = lambda self: 1
    __iter__ = lambda self: iter([self])
    __getitem__ = lambda self, key: self
    __contains__ = lambda self, key: True
    __float__ = lambda self: 4.0
    __int__ = __index__ = lambda self: 4
    __array__ = lambda self, *_, **__: __import__('numpy').array(4.0)


def double(x):
    return Everything()

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is <")
