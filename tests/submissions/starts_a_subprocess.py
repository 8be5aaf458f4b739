# %% [markdown]
# Other programs do the work: a shell, and Python.

# %% double
import subprocess
import sys


def double(x):
    told = subprocess.run([sys.executable, '-c', f'print(2 * {x})'], capture_output=True, check=True)
    return int(told.stdout)

# %% greet
def greet():
    return subprocess.getoutput('echo hello')

# %% must
assert points == full_marks
