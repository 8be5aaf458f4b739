# %% [markdown]
# Displays data with very many items, as a library of charts may.

# %% double
from IPython.display import display

display({"application/x+json": [{}] * 1_000_000, "text/plain": "a chart"}, raw=True)


def double(x):
    return 2 * x

# %% must
assert points == full_marks
