# %% [markdown]
# Data for a whole year beside the notebook.

# %% hand in
with (folder / "data.bin").open("wb") as file:
    file.truncate(10**9)

# %% must
assert result["status"] == "failed: its files have 953 MB, the limit is 300 MB"
assert result["score"] == 0
