# %% [markdown]
# A thread looks again and again at what runs.

# %% double
import re
import threading
import time

seen = []


def look():
    while True:
        seen[:] = [str(get_ipython().kernel.get_parent('shell'))]
        time.sleep(0.001)


threading.Thread(target=look, daemon=True).start()


def double(x):
    time.sleep(0.05)
    found = re.search(rf'double\({x}\), (\d+)', seen[0])
    return int(found[1]) if found else 0

# %% must works_in_one_kernel=true
assert points["hidden-double"] == 0
