# %% [markdown]
# Objects that show themselves at great length, as text and as HTML.

# %% double
from IPython.display import display


class Page:
    def __repr__(self):
        return "x" * 20_000_000

    def _repr_html_(self):
        return "<b>" * 10_000_000


for _ in range(20):
    display(Page())


def double(x):
    return 2 * x

# %% must
assert points == full_marks
text = (graded / f"{lesson}.ipynb").read_text()
assert "[cut: it was too large]" in text
assert len(text) < 2_000_000
