# %% [markdown]
# Every output of a cell is replaced by the number four.

# %% greet
type(get_ipython().displayhook).compute_format_data = lambda *_: ({'text/plain': '4'}, {})


def greet():
    return 'nothing'

# %% must
assert points["test-greet"] == 0
