# %% [markdown]
# The notebook is not text.

# %% hand in
path.write_bytes(bytes(range(256)) * 10)
notebook = None

# %% must
assert result["status"].startswith("failed: 00_doubling.ipynb is not a readable notebook")
assert len(result["status"].splitlines()) == 1
assert (result["score"], result["max_score"]) == (0, 10)
