# %% [markdown]
# The notebook is not JSON, but a letter.

# %% hand in
path.write_text("Dear teacher, the dog ate it.")
notebook = None

# %% must
assert result["status"].startswith("failed: 00_doubling.ipynb is not a readable notebook")
assert len(result["status"].splitlines()) == 1
assert (result["score"], result["max_score"]) == (0, 10)
