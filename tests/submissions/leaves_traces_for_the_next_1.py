# %% [markdown]
# Leaves files and a process for the next submission.

# %% greet
import subprocess
import sys

name = 'left' + 'COURSE'.replace('/', '-')
for place in ('/tmp', '/dev/shm'):
    open(f'{place}/{name}', 'w').close()
wait = "import signal; signal.alarm(30); signal.pause()"
subprocess.Popen([sys.executable, '-c', wait, name], start_new_session=True)


def greet():
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks
