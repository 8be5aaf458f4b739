# %% [markdown]
# Brings modules with the names of those that a kernel imports while it starts.

# %% hand in
import sys

early = "import builtins; builtins.was_early = __name__"
others = {"storemagic", "sitecustomize", "usercustomize", "ipykernel_launcher", "debugpy", "zmq"}
for name in {*sys.stdlib_module_names, *others} - {"builtins"}:
    (folder / f"{name}.py").write_text(early)

# %% greet
import builtins

early = getattr(builtins, "was_early", "")


def greet():
    return "hello" if early else "too late"

# %% must
assert points == full_marks | {"test-greet": 0}
