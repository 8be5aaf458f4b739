# %% [markdown]
# Displays data of types that no page shows, or of another form than Jupyter's.

# %% double
from IPython.display import display

display({"a/b": [1]}, raw=True)
display({"text/plain": 5}, raw=True)
display({"text/plain": "5", "image/png": {}}, raw=True, metadata={"x/y": 5})


def double(x):
    return 2 * x

# %% must
assert points == full_marks
