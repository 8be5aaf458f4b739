# %% [markdown]
# IPython is told to make nothing of a test before it runs.

# %% double
get_ipython().input_transformers_post.append(
    lambda lines: ['pass'] if 'check.' in ''.join(lines) else lines
)


def double(x):
    return 4

# %% must xfail="the tests run in the kernel of the answers: a kernel of their own is a later step"
assert points["hidden-double"] == 0
