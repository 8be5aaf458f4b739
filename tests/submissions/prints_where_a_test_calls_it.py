# %% [markdown]
# Prints nine megabytes each time that a test calls it.

# %% double
def double(x):
    print("x" * 9_000_000)
    return 2 * x

# %% must
assert points == full_marks
assert (graded / f"{lesson}.ipynb").stat().st_size < 1_000_000
