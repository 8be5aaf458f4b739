# %% [markdown]
# Two hundred more notebooks, each of many cells.

# %% hand in
import json

cells = [{"cell_type": "raw", "metadata": {}, "source": ""}] * 25_000
text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
for number in range(200):
    (folder / f"other-{number}.ipynb").write_text(text)

# %% must
assert points == full_marks
