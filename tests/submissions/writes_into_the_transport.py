# %% [markdown]
# Writes random data into every descriptor on which another kernel may listen.

# %% double
import os
import stat

SOCKETS = [3] if stat.S_ISSOCK(os.fstat(3).st_mode) else []


def double(x):
    for number in SOCKETS:
        os.write(number, os.urandom(1000))
    return 2 * x

# %% hand in
for cell in notebook.cells:  # the learner tries another number: what was changed is run when graded
    cell.source = cell.source.replace("double(21)", "double(22)")

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert outcomes["test-double"] == outcomes["hidden-double"] == "crashed"
