# %% [markdown]
# An exercise with its tests is deleted.

# %% hand in
notebook.cells = [cell for cell in notebook.cells if "double" not in cell["id"]]

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert messages["test-double"] == "There is no answer yet."
