# %% [markdown]
# Prints, displays and writes the arguments of a hidden test.

# %% double
import sys

from IPython.display import display


def double(x):
    for say in (print, display, lambda word: print(word, file=sys.stderr)):
        say(f'it is {100 * x}')
    return 4

# %% must
import nbformat

assert points == full_marks | {"hidden-double": 0}
assert "300" not in "".join(messages.values())
notebook = nbformat.read(graded / f"{lesson}.ipynb", as_version=4)
hidden = next(cell for cell in notebook.cells if cell["id"] == "hidden-double")
assert "300" not in str(hidden.outputs)
assert "it is 300" in hidden.metadata["printed"]  # for instructors
