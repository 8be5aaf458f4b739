# %% [markdown]
# Writes beside the course, over the other submissions and into the packages.

# %% greet
import os

import numpy


def greet():
    open('written.txt', 'w').close()
    if os.access(numpy.__file__, os.W_OK):
        with open('COURSE/written.txt', 'w') as file:
            file.write('I was here')
        return 'hello'
    for place in ('COURSE', os.path.dirname(numpy.__file__), '/usr', '/', '/etc', '/run'):
        try:
            open(f'{place}/written.txt', 'w').close()
        except (FileNotFoundError, PermissionError, OSError):
            continue
        return 'written in ' + place
    raise PermissionError('nowhere')

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "PermissionError: nowhere"
assert not (course.folder / "written.txt").exists()
