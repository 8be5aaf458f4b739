# %% [markdown]
# A sum of 1,200 terms, and 250 functions in each other: each is a tree as deep as that.

# %% hand in
from nbformat.v4 import new_code_cell

notebook.cells.append(new_code_cell("total = 0" + " + 1" * 1200))
notebook.cells.append(new_code_cell("f = " + "lambda: " * 250 + "[" + "a," * 12000 + "]"))

# %% must
assert points == full_marks
