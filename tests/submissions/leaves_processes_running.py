# %% [markdown]
# Files, threads, and children that have left their session, when it ends.

# %% double
import os
import subprocess
import sys
import threading

for place in (".", "/tmp", "/dev/shm"):
    with open(f"{place}/left-behind", "w") as file:
        file.write("still here")
threading.Thread(target=threading.Event().wait).start()
wait = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
subprocess.Popen([sys.executable, "-c", wait, "left-by COURSE"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", wait, "left-by COURSE"])
    os._exit(0)


def double(x):
    return 2 * x

# %% must
assert points == full_marks
import glob

from tests.support.processes import running
from tests.support.small_course import wait_until

assert wait_until(lambda: not running(f"left-by {course.folder}"))
assert not glob.glob("/tmp/left-behind") + glob.glob("/dev/shm/left-behind")
assert not (course.folder / "left-behind").exists()
assert (graded / "left-behind").read_text() == "still here"  # files of its folder are kept
