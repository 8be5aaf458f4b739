# %% [markdown]
# Files whose names are markup, escapes for a terminal, and marks of direction.

# %% hand in
(folder / "[").mkdir()
for name in ("[/b]", "[bold red]x", "\x1b]0;title\x07", "a\nb", "\u202eevil", "=1+1", "-rf"):
    (folder / name).write_text("x")

# %% must
assert points == full_marks
