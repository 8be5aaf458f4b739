# %% [markdown]
# It was saved with a kernel that no machine here has.

# %% hand in
notebook.metadata.kernelspec = {"name": "conda-env-julia-py", "display_name": "?", "language": "julia"}
notebook.metadata.language_info = {"name": "julia"}

# %% must
assert points == full_marks
