# %% [markdown]
# A notebook that kept all it ever printed.

# %% hand in
from nbformat.v4 import new_code_cell, new_output

printed = new_output("stream", text="x" * 1_000_000)
notebook.cells += [new_code_cell("1 + 1", outputs=[printed]) for _ in range(100)]

# %% must
assert points == full_marks
assert (graded / f"{lesson}.ipynb").stat().st_size < 2_000_000
