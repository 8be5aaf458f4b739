# %% [markdown]
# A file beside the notebook is a symbolic link to the gradebook.

# %% hand in
(folder / "data.db").symlink_to(course / "gradebook.db")

# %% must
assert result["status"] == "failed: 00_doubling/data.db is a symbolic link, not a file"
assert result["score"] == 0
assert not graded.exists()
