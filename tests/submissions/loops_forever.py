# %% [markdown]
# A search that goes past its goal and never ends, but only for large filters: the visible test
# passes, the hidden one does not.

# %% same_padding
def same_padding(f):
    """The padding that keeps the size, by steps of one, and of two for large filters."""
    if f % 2 == 0:
        raise ValueError("no padding keeps the size")
    p = 0
    while 2 * p != f - 1:
        p += 1 if f < 20 else 2
    return p
