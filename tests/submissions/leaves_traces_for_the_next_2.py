# %% [markdown]
# Looks for what the submission before it left.

# %% greet
import contextlib
import glob
import os

name = 'left' + 'COURSE'.replace('/', '-')


def left():
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        with contextlib.suppress(OSError), open(path) as file:
            if file.read().endswith(name + chr(0)):
                yield path
    for place in ('/tmp', '/dev/shm'):
        if os.path.exists(f'{place}/{name}'):
            os.unlink(f'{place}/{name}')
            yield place


def greet():
    found = list(left())
    if not found:
        raise LookupError('all is clean')
    return 'hello' if len(found) == 3 else 'something'

# %% must works_unconfined=true
from tests.support.small_course import points as points_of

assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "LookupError: all is clean"

pair = [f"leaves_traces_for_the_next_{number}" for number in (1, 2)]
in_turn = course.grade("--force", "--jobs=1", *(f"--student={student}" for student in pair))
assert [points_of(in_turn[student])["test-greet"] for student in pair] == [4, 0]
