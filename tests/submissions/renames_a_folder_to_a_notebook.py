# %% [markdown]
# What has the notebook's name is a folder.

# %% hand in
path.unlink()
path.mkdir()
notebook = None

# %% must
assert result["status"].startswith("failed: ")
assert result["score"] == 0
