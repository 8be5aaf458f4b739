# %% [markdown]
# Closes all sockets and pipes of its kernel.

# %% double
import os


def double(x):
    os.close(3)
    return 4

# %% hand in
for cell in notebook.cells:  # the learner tries another number: what was changed is run when graded
    cell.source = cell.source.replace("double(21)", "double(22)")

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert outcomes["test-double"] == outcomes["hidden-double"] == "crashed"
