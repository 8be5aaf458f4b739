# %% [markdown]
# All cells but the text are deleted.

# %% hand in
notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert result["max_score"] == 10
