# %% [markdown]
# Displays metadata that is nested deeper than what reads a notebook can follow.

# %% double
from IPython.display import display

metadata = {}
for _ in range(900):
    metadata = {"a": metadata}
display({"text/plain": "x"}, raw=True, metadata=metadata)


def double(x):
    return 2 * x

# %% must
assert result["status"] == "graded"
assert "The kernel died" in messages["test-double"]
assert points["test-greet"] == 4
