# %% [markdown]
# IPython is patched to show no error.

# %% double
get_ipython().showtraceback = lambda *_, **__: None
get_ipython()._showtraceback = lambda *_, **__: None
get_ipython().set_custom_exc((Exception,), lambda *_, **__: None)


def double(x):
    return 4

# %% must
assert points == full_marks | {"hidden-double": 0}
assert messages["hidden-double"].startswith("double(3) is 4, 6 was")
