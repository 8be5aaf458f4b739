# %% [markdown]
# The upload was interrupted.

# %% hand in
path.write_text(path.read_text()[:1000])
notebook = None

# %% must
assert result["status"].startswith("failed: 00_doubling.ipynb is not a readable notebook")
assert len(result["status"].splitlines()) == 1
assert (result["score"], result["max_score"]) == (0, 10)
