# %% [markdown]
# A cell of a million statements: Python's parser takes a thousand times its size in memory.

# %% hand in
from nbformat.v4 import new_code_cell

notebook.cells.append(new_code_cell("a;" * 1_000_001))

# %% must
assert result["status"].startswith("failed: ")
assert result["status"].endswith("has more than 2,000,000 characters in its cells")
