# %% [markdown]
# The file that says when it was handed in has five megabytes.

# %% hand in
(folder / "timestamp.txt").write_text("1 " * 2_500_000)

# %% must
assert result["status"] == "failed: its timestamp.txt holds no valid time: it is too long"
