# %% [markdown]
# The kernel says that a test printed 9 million characters.

# %% double
session = get_ipython().kernel.session
send = session.send


def prints(stream, kind, *content, **rest):
    if kind == "answer_reply":
        content = ({**content[0], "printed": "x" * 9_000_000}, *content[1:])
    return send(stream, kind, *content, **rest)


session.send = prints


def double(x):
    return 2 * x

# %% must
assert points["hidden-double"] == 2
assert (graded / f"{lesson}.ipynb").stat().st_size < 200_000
