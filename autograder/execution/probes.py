"""Probes of `autograder doctor`: what a submission should not be able to do.

Each function stands alone, since only its source is sent to the kernel. It returns what it could do
that it should not be able to; an empty string is good news.
"""

from __future__ import annotations


def sees_files(paths: list[str]) -> str:
    import os

    return ", ".join(path for path in paths if os.path.exists(path))


def writes_outside(folders: list[str]) -> str:
    import os

    written = []
    for folder in folders:
        path = os.path.join(folder, "written-by-doctor")
        try:
            open(path, "w").close()
            os.remove(path)
            written.append(folder)
        except OSError:
            pass
    return ", ".join(written)


def touches_process(pid: int, words: str) -> str:
    import os
    import signal

    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline") as line:
                if words in line.read().replace("\0", " "):
                    return f"sees process {name}"
        except OSError:
            pass
    if str(pid) in os.listdir("/proc"):
        return ""  # the kernel's own, by chance with that number
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError:
        return ""
    return f"signals process {pid}"


def reaches_network(port: int) -> str:
    import fcntl
    import socket
    import struct

    reached = []
    with socket.socket() as client:
        client.settimeout(5)
        if client.connect_ex(("127.0.0.1", port)) == 0:
            reached.append(f"port {port} of loopback")
    with socket.socket() as any_socket:
        with open("/proc/net/dev") as devices:
            names = [line.split(":")[0].strip() for line in devices if ":" in line]
        for name in names:
            answer = fcntl.ioctl(any_socket, 0x8913, struct.pack("16s16x", name.encode()))
            if struct.unpack_from("h", answer, 16)[0] & 1:
                reached.append(f"interface {name}")
    return ", ".join(reached)


def reaches_sockets(path: str, abstract: str) -> str:
    import socket

    reached = []
    for address, what in ((path, path), ("\0" + abstract, "an abstract socket")):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            if client.connect_ex(address) == 0:
                reached.append(what)
    return ", ".join(reached)


def takes_memory(megabytes: int) -> str:
    try:
        return f"{len(bytearray(megabytes * 2**20)) // 2**20} MB in one process"
    except MemoryError:
        return ""


def takes_memory_together(megabytes: int, children: int) -> str:
    import os
    import signal
    import time

    pids = []
    for _ in range(children):
        pid = os.fork()
        if not pid:
            held = b"x" * (megabytes * 2**20 // children)
            time.sleep(60 if held else 0)
            os._exit(0)
        pids.append(pid)
    time.sleep(5)  # by then it is over, where it is bounded
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return f"{megabytes} MB in {children} processes"


def takes_shared_memory(megabytes: int, piece: int) -> str:
    import mmap
    import os
    import time

    held: list[object] = []
    ways = []
    try:
        large = mmap.mmap(-1, megabytes * 2**20)
        for _ in range(megabytes):
            large.write(bytes(2**20))
        ways.append("one mapping")
        large.close()
    except OSError:
        pass
    try:
        os.close(os.memfd_create("doctor"))
        ways.append("a file without a name")
    except OSError:
        pass
    for _ in range(megabytes // piece):
        small = mmap.mmap(-1, piece * 2**20)
        small.write(bytes(piece * 2**20))
        small.madvise(mmap.MADV_DONTNEED)
        held.append(small)
    time.sleep(2)  # by then it is over, where it is bounded
    return ", ".join([*ways, "small mappings"])


def calls_system(numbers: dict[str, int]) -> str:
    import ctypes
    import errno

    libc = ctypes.CDLL(None, use_errno=True)
    known = []
    for name, number in numbers.items():
        # With these arguments each of them fails, if it is there.
        if libc.syscall(number, -1, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != errno.ENOSYS:
            known.append(name)
    return ", ".join(known)


def was_started_early() -> str:
    import builtins

    return "a startup file was run" if hasattr(builtins, "was_early") else ""


def computes(processes: int, seconds: float) -> str:
    import os
    import time

    end = time.monotonic() + seconds
    for _ in range(processes):
        if os.fork() == 0:
            os.setsid()
            while time.monotonic() < end:
                pass
            os._exit(0)
    time.sleep(max(0.0, end - time.monotonic()))
    return ""


def share_of_a_processor(seconds: float) -> str:
    import time

    began, used = time.monotonic(), time.process_time()
    while time.monotonic() < began + seconds:
        pass
    return str((time.process_time() - used) / seconds)


def starts_processes(number: int) -> str:
    import os
    import signal

    pids: list[int] = []
    try:
        while len(pids) < number:
            pid = os.fork()
            if not pid:
                signal.pause()
            pids.append(pid)
    except OSError:
        return ""
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"{number} processes"


def writes_large_file(megabytes: int) -> str:
    import os

    try:
        with open("large", "wb") as file:
            file.write(bytes(megabytes * 2**20))
    except OSError:
        return ""
    finally:
        os.remove("large")
    return f"a file of {megabytes} MB"


def fills_disk(megabytes: int, each: int) -> str:
    import os

    filled = []
    for place in (".", "/tmp", "/dev/shm"):
        paths = [os.path.join(place, f"fills-{number}") for number in range(megabytes // each)]
        try:
            for path in paths:
                with open(path, "wb") as file:
                    file.write(bytes(each * 2**20))
            filled.append(f"{megabytes} MB in {place}")
        except OSError:
            pass
        finally:
            for path in filter(os.path.exists, paths):
                os.remove(path)
    return ", ".join(filled)


def has_rights() -> str:
    import ctypes
    import os

    rights = []
    with open("/proc/self/status") as lines:
        status = dict(line.split(":", 1) for line in lines)
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            rights.append(f"{name} {status[name].strip()}")
    with open("/proc/self/uid_map") as lines:
        for line in lines:
            inside, outside, count = map(int, line.split())
            if 0 <= os.geteuid() - inside < count and os.geteuid() - inside + outside == 0:
                rights.append("root outside")
    if not int(status["NoNewPrivs"]):
        rights.append("can gain rights by a program")
    if ctypes.CDLL(None).unshare(0x10000000) == 0:
        rights.append("can make a user namespace")
    return ", ".join(rights)


def writes_beside_landlock() -> str:
    try:
        with open("/run/written-by-doctor", "w"):
            return "/run"
    except OSError:
        return ""


def leaves_process(seconds: str) -> str:
    import subprocess

    subprocess.Popen(["sleep", seconds], start_new_session=True)
    return ""
