# %% [markdown]
# The notebook is a pipe: a program that opens it waits forever.

# %% hand in
import os

path.unlink()
os.mkfifo(path)
notebook = None

# %% must
assert result["status"] == "failed: 00_doubling/00_doubling.ipynb is a device or pipe, not a file"
assert result["score"] == 0
assert not graded.exists()
