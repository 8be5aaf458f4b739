# %% [markdown]
# A notebook of a million small objects.

# %% hand in
notebook = None
path.write_text('{"cells": [' + ",".join(["{}"] * 1_000_000) + "]}")

# %% must
assert result["status"].endswith("is not a readable notebook: it has more than 200,000 brackets")
