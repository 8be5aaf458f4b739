# %% [markdown]
# Every cell is there twice, as after copy and paste; the first try at an answer was wrong.

# %% hand in
import copy

first = copy.deepcopy(notebook.cells)
for cell in first:
    if cell["id"] == "double":
        cell.source = "def double(x):\n    return 0"
notebook.cells = first + notebook.cells

# %% must
assert points == full_marks
