# %% [markdown]
# An endless loop that neither SIGINT nor SIGTERM nor an exception ends.

# %% double
import signal

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)


def double(x):
    while x == 3:
        try:
            while True:
                pass
        except BaseException:
            pass
    return 2 * x

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "timed out"
