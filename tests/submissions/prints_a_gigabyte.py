# %% [markdown]
# A forgotten debugging print, in a loop. The answer is right.

# %% same_padding
def same_padding(f):
    """Half of what the filter takes away; everything on the way is printed."""
    for _ in range(1000):
        print("debug" * 200_000)
    if f % 2 == 0:
        raise ValueError("no padding keeps the size")
    return (f - 1) // 2
