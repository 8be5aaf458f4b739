# %% [markdown]
# IPython is told to show no error.

# %% double
get_ipython().showtraceback = lambda *_, **__: None
get_ipython()._showtraceback = lambda *_, **__: None
get_ipython().set_custom_exc((Exception,), lambda *_, **__: None)


def double(x):
    return 4

# %% must xfail="the tests run in the kernel of the answers: a kernel of their own is a later step"
assert points == full_marks | {"hidden-double": 0}
