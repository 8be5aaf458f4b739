# %% [markdown]
# Writes beside the course, over the other submissions, into the packages and the system.

# %% greet
import os

import numpy


def greet():
    for place in ('COURSE', 'COURSE/submitted', os.path.dirname(numpy.__file__), '/', '/usr', '/etc', '/run'):
        try:
            with open(f'{place}/written.txt', 'w') as file:
                file.write('I was here')
        except OSError:
            continue
        return 'hello'
    raise PermissionError('nowhere')

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "PermissionError: nowhere"
assert not list(course.folder.rglob("written.txt"))
