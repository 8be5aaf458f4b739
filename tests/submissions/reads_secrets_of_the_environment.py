# %% [markdown]
# Looks for tokens in its own environment, and in that of a process of the instructor.

# %% greet
import os


def greet():
    found = [name for name in os.environ if 'TOKEN' in name]
    for process in ('self', 'PID', str(os.getppid())):
        try:
            with open(f'/proc/{process}/environ') as file:
                found += [name for name in file.read().split(chr(0)) if name.startswith('JUPYTERHUB_API')]
        except (FileNotFoundError, PermissionError):
            continue
    if not found:
        raise LookupError('no token in sight')
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("LookupError")
