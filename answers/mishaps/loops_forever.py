# %% [markdown]
# A search that goes past its goal and never ends, but only for large filters, or odd numbers: the
# visible test passes, the hidden one does not.

# %% same_padding
def same_padding(f):
    """The padding that keeps the size, by steps of one, and of two for large filters."""
    if f % 2 == 0:
        raise ValueError("no padding keeps the size")
    p = 0
    while 2 * p != f - 1:
        p += 1 if f < 20 else 2
    return p

# %% double
def double(x):
    """Twice x, by steps of two."""
    total = 0
    while total != 2 * x:
        total += 4 if x == 3 else 2
    return total

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "timed out"
assert "does a loop never end?" in messages["hidden-double"]
