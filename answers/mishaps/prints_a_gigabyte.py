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

# %% double
def double(x):
    for _ in range(500):
        print('debug' * 200_000)
    return 2 * x

# %% hand in
for cell in notebook.cells:  # the learner tries another number: what was changed is run when graded
    cell.source = cell.source.replace("double(21)", "double(22)")

# %% must
assert points == full_marks
text = (graded / f"{lesson}.ipynb").read_text()
assert "[output cut after 200,000 characters]" in text
assert len(text) < 2_000_000
