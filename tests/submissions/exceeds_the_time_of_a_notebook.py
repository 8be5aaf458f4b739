# %% [markdown]
# One endless loop after the other, until no time is left for the last tests.

# %% hand in
from nbformat.v4 import new_code_cell

place = notebook.cells.index(cells["greet"])
notebook.cells[place:place] = [new_code_cell("while True:\n    pass") for _ in range(9)]

# %% must
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "not run"
assert "time limit of the notebook" in messages["test-greet"]
assert result["seconds"] < 50
