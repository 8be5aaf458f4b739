# %% [markdown]
# A folder has the name of the notebook.

# %% hand in
path.unlink()
path.mkdir()
notebook = None

# %% must
assert result["status"].startswith("failed: ")
assert result["score"] == 0
