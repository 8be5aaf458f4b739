# %% [markdown]
# The notebook is a symbolic link to the solutions.

# %% hand in
path.unlink()
path.symlink_to(course / "source" / lesson / path.name)
notebook = None

# %% must
assert result["status"] == "failed: 00_doubling/00_doubling.ipynb is a symbolic link, not a file"
assert result["score"] == 0
assert not graded.exists()
