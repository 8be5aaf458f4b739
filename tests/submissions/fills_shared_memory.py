# %% [markdown]
# Fills what processes share in memory.

# %% double
def double(x):
    if x == 3:
        for number in range(1000):
            with open(f'/dev/shm/{number}', 'wb') as file:
                file.write(bytes(10**6))
    return 2 * x

# %% must
assert points == full_marks | {"hidden-double": 0}
assert "No space left on device" in messages["hidden-double"]
