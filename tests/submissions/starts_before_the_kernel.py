# %% [markdown]
# Brings a startup file and a configuration for the kernel.

# %% hand in
line = "import builtins; builtins.was_early = True"
profile = folder / ".ipython" / "profile_default"
(profile / "startup").mkdir(parents=True)
(profile / "startup" / "00.py").write_text(line)
settings = f"c.IPKernelApp.exec_lines = [{line!r}]\nc.InteractiveShellApp.exec_lines = [{line!r}]\n"
for place in (folder, profile):
    for name in ("ipython_config.py", "ipython_kernel_config.py", "jupyter_config.py"):
        (place / name).write_text(settings)

# %% greet
import builtins


def greet():
    return "hello" if hasattr(builtins, "was_early") else "too late"

# %% must
assert points == full_marks | {"test-greet": 0}
