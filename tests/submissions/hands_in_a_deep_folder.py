# %% [markdown]
# Folders in folders.

# %% hand in
folder.joinpath(*["deeper"] * 40).mkdir(parents=True)

# %% must
assert result["status"] == "failed: its folders are nested more than 20 deep"
