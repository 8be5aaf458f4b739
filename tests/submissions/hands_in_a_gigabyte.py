# %% [markdown]
# Data for a whole year beside the notebook.

# %% hand in
with (folder / "data.bin").open("wb") as file:
    file.truncate(10**9)

# %% must
assert result["status"] == "failed: its files have 953 MB, 300 at most"
assert result["score"] == 0
