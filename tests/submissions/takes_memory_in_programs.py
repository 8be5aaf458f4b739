# %% [markdown]
# Programs of its own, which inherit nothing of the memory that a fresh kernel has.

# %% greet
import subprocess
import sys
import time

HOLD = "held = b'x' * (250 << 20); print(flush=True); import time; time.sleep(60)"


def greet():
    command = [sys.executable, "-S", "-c", HOLD]
    programs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
    for program in programs:
        program.stdout.readline()
    time.sleep(1)
    for program in programs:
        program.kill()
        program.communicate()
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"
