# %% [markdown]
# The notebook is a hard link to the solutions.

# %% hand in
path.unlink()
path.hardlink_to(course / "source" / lesson / path.name)
notebook = None

# %% must
assert result["status"] == "failed: 00_doubling/00_doubling.ipynb is a hard link: the file has another path too"
assert result["score"] == 0
assert not graded.exists()
