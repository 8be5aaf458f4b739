# %% [markdown]
# An answer became markdown, a test a raw cell, and text became code.

# %% hand in
for name, cell_type in (("double", "markdown"), ("test-greet", "raw")):
    cells[name].cell_type = cell_type
    for key in ("outputs", "execution_count"):
        cells[name].pop(key, None)
title = notebook.cells[0]
title.cell_type, title.outputs, title.execution_count = "code", [], None

# %% must
assert points == full_marks
