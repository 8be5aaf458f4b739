# %% [markdown]
# A cell that is nested too deep for Python's parser, in the place of an answer that was deleted.

# %% hand in
from nbformat.v4 import new_code_cell

notebook.cells.insert(0, new_code_cell("x = " + "-" * 50_000 + "1"))
notebook.cells.insert(0, new_code_cell("y = " + "1 + " * 20_000 + "1"))
notebook.cells.insert(0, new_code_cell("z = " + "(" * 5_000 + ")" * 5_000))
for cell in notebook.cells:
    if cell["id"] == "double":
        cell.metadata.clear()
        cell["id"] = "renamed"

# %% must
assert points == full_marks
