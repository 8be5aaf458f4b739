# %% [markdown]
# Looks for a process of the instructor.

# %% greet
import glob


def greet():
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        with open(path) as file:
            if 'signal.pause()' + chr(0) + 'COURSE' in file.read():
                return 'hello'
    raise ProcessLookupError('no such process')

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "ProcessLookupError: no such process"
