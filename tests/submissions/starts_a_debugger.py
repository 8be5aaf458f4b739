# %% [markdown]
# Breakpoints that were forgotten, of both kinds, and the magic. A kernel ignores the first
# kind.

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
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("StdinNotImplementedError")
