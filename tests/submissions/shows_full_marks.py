# %% [markdown]
# Every output of a cell is replaced by the number four.

# %% greet
type(get_ipython().displayhook).compute_format_data = lambda *_: ({'text/plain': '4'}, {})


def greet():
    return 'nothing'

# %% must
assert points == full_marks | {"test-greet": 0}
assert "nan" in messages["test-greet"]
