# %% [markdown]
# Folders have the names of notebooks: one is handed in, an answer makes another. nbgrader takes
# whatever ends like a notebook for one.

# %% hand in
(folder / "other.ipynb").mkdir()
(folder / "other.ipynb" / "x.txt").write_text("x")

# %% greet
import os

os.makedirs("00_doubling.IPYNB", exist_ok=True)
os.makedirs("more/00_doubling.ipynb", exist_ok=True)
for name in ("00_doubling.IPYNB/x.txt", "more/00_doubling.ipynb/x.txt"):
    with open(name, "w") as file:
        file.write("x")


def greet():
    return "hello"

# %% must
assert points == full_marks
assert not [path for path in graded.rglob("*") if path.is_dir() and ".ipynb" in path.name.lower()]
