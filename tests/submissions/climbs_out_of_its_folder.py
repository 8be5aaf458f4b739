# %% [markdown]
# A folder is a path with .. in it, to all submissions.

# %% hand in
(folder / "data").symlink_to("../../../submitted")

# %% must
assert result["status"] == "failed: 00_doubling/data is a symbolic link, not a file"
assert result["score"] == 0
assert not graded.exists()
