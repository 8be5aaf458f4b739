# %% [markdown]
# Looks for a sign of grading in the environment, an argument, a path, a mount, a process or the
# name of the machine.

# %% greet
import glob
import os
import re
import socket
import sys

from ipykernel import get_connection_file

WORDS = re.compile('autograd|grader|graded|grading|submitted|submission|COURSE', re.I)


def said():
    yield from (f'{name}={value}' for name, value in os.environ.items())
    yield from [*sys.argv, *sys.orig_argv, *sys.path, os.getcwd(), socket.gethostname()]
    yield from [__name__, get_connection_file()]
    for name in ('cmdline', 'environ', 'comm', 'mountinfo', 'mounts', 'cgroup', 'status', 'maps'):
        for path in glob.glob(f'/proc/[0-9]*/{name}'):
            try:
                with open(path) as file:
                    yield from file.read().replace(chr(0), ' ').splitlines()
            except OSError:
                continue
    for descriptor in os.listdir('/proc/self/fd'):
        try:
            yield os.readlink(f'/proc/self/fd/{descriptor}')
        except OSError:
            continue
    for place in ('/', '/tmp', '/dev', '/dev/shm', '/run', '/home', os.getcwd()):
        if os.access(place, os.R_OK):
            yield from os.listdir(place)


lines = [line.replace(os.path.dirname(sys.prefix), '') for line in said()]
hints = [line for line in lines if WORDS.search(line)]


def greet():
    assert any('ipykernel_launcher' in line for line in lines), 'nothing said anything'
    assert not hints, f'noticed: {hints[:3]}'
    raise LookupError('no sign of it')

# %% must
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "LookupError: no sign of it"
