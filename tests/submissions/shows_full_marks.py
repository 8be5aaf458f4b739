# %% [markdown]
# Whatever a cell shows, the number four is what is seen.

# %% greet
type(get_ipython().displayhook).compute_format_data = lambda *_: ({'text/plain': '4'}, {})


def greet():
    return 'nothing'

# %% must
assert points["test-greet"] == 0
