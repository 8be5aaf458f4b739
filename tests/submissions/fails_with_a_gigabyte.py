# %% [markdown]
# An error whose text is as long as a book case, and one as long as a library.

# %% double
def double(x):
    raise ValueError('x' * (1_000_000 if x == 2 else 1_000_000_000))

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert messages["test-double"].startswith("ValueError: xxx")
assert len(messages["test-double"]) < 1000
assert outcomes["hidden-double"] in ("out of memory", "timed out")
assert (graded / f"{lesson}.ipynb").stat().st_size < 10_000_000
