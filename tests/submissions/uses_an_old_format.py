# %% [markdown]
# It was saved as a notebook of version 3, which has worksheets.

# %% hand in
import nbformat

path.write_text(nbformat.v3.writes_json(nbformat.convert(notebook, 3)))
assert "worksheets" in path.read_text()
notebook = None

# %% must
assert points == full_marks
