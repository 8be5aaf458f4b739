# %% [markdown]
# A search that never ends: an even filter has no padding that keeps the size.

# %% same_padding
def same_padding(f):
    """The padding that keeps the size: tried out one by one."""
    p = 0
    while 5 + 2 * p - f + 1 != 5:
        p += 1
    return p
