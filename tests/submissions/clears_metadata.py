# %% [markdown]
# Some editor dropped all metadata and ids.

# %% hand in
notebook.metadata = {}
notebook.nbformat_minor = 4
for cell in notebook.cells:
    cell.metadata = {}
    del cell["id"]

# %% must
assert points == full_marks
