# %% [markdown]
# The notebook has the name of a homework.

# %% hand in
path.rename(folder / "my homework (1).ipynb")
notebook = None

# %% must
assert points == full_marks
assert (graded / f"{lesson}.ipynb").exists()
