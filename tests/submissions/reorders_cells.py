# %% [markdown]
# The cells are in another order, tests before what they test.

# %% hand in
notebook.cells.reverse()

# %% must
assert points == full_marks
