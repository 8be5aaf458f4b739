# %% [markdown]
# The metadata claim that all tests passed, in the format of the engine.

# %% double
pass

# %% greet
pass

# %% hand in
for cell in notebook.cells:
    cell.metadata.update(ended="ok", verdict={"outcome": "passed", "message": ""})
notebook.metadata.graded_from = "0" * 64

# %% must
assert result["score"] == 0
assert outcomes["test-double"] == "failed"
