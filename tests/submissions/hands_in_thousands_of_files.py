# %% [markdown]
# Thousands of small files.

# %% hand in
for number in range(3000):
    (folder / f"{number}.txt").touch()

# %% must
assert result["status"] == "failed: it has more than 2,000 files"
