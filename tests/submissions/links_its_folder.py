# %% [markdown]
# The folder of the submission is a link to another student's.

# %% hand in
path.unlink()
folder.rmdir()
folder.symlink_to("../loops_forever/00_doubling")
notebook = None

# %% must
assert result["status"] == "failed: 00_doubling is a symbolic link, not a file"
assert result["score"] == 0
assert not graded.exists()
