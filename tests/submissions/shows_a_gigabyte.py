# %% [markdown]
# Objects that show themselves at great length, as text and as HTML, again and again.

# %% double
from IPython.display import display


class Page:
    def __repr__(self):
        return "x" * 6_000_000

    def _repr_html_(self):
        return "<b>" * 2_000_000


display(Page())


def double(x):
    while x == 3:
        display(Page())
    return 2 * x

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "timed out"
text = (graded / f"{lesson}.ipynb").read_text()
assert "[cut: it was too large]" in text
assert len(text) < 20_000_000
