# %% [markdown]
# An old copy, a checkpoint and an invalid notebook lie beside the one that counts.

# %% hand in
import nbformat

for name in (f"{lesson}-Copy1", ".ipynb_checkpoints/00_doubling-checkpoint", "scratch"):
    other = folder / f"{name}.ipynb"
    other.parent.mkdir(exist_ok=True)
    other.write_text("{}" if name == "scratch" else nbformat.writes(nbformat.v4.new_notebook()))

# %% must
assert points == full_marks
