# %% [markdown]
# The notebook is JSON, but not a notebook.

# %% hand in
path.write_text("[1, 2, 3]")
notebook = None

# %% must
assert result["status"].startswith("failed: 00_doubling.ipynb is not a readable notebook")
assert len(result["status"].splitlines()) == 1
assert (result["score"], result["max_score"]) == (0, 10)
