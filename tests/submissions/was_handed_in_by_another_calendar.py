# %% [markdown]
# The file that says when it was handed in holds bytes that are no text.

# %% hand in
(folder / "timestamp.txt").write_bytes(b"\xff\xfe\x00year 1 +2400")

# %% must
assert result["status"] == "failed: its timestamp.txt holds no valid time"
