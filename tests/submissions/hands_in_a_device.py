# %% [markdown]
# A file is a device without an end, or, where only root could make one, a socket.

# %% hand in
import os
import socket
import stat

try:
    os.mknod(folder / "zero", stat.S_IFCHR | 0o666, os.makedev(1, 5))
except PermissionError:
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(folder / "zero"))

# %% must
assert result["status"] == "failed: 00_doubling/zero is a device or pipe, not a file"
assert result["score"] == 0
assert not graded.exists()
