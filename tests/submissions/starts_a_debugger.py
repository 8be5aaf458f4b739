# %% [markdown]
# Breakpoints that were forgotten, of both kinds, and the magic.

# %% double
import pdb


def double(x):
    breakpoint()
    return 2 * x

# %% greet
def greet():
    pdb.set_trace()
    return 'hello'

# %% hand in
from nbformat.v4 import new_code_cell

notebook.cells += [new_code_cell("1 / 0"), new_code_cell("%debug")]

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert set(outcomes.values()) == {"failed", "no response"}
assert "Stdin" in messages["test-double"]
assert "Stdin" in messages["test-greet"]
