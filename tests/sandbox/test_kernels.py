"""Forked kernels are kernels like any other, and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from autograder.execution.cells import ENDED, OK, OUT_OF_MEMORY
from autograder.execution.execute import execute, kernel_server
from autograder.limits import Limits
from autograder.sandbox import namespaces, seccomp
from autograder.sandbox.libc import call
from autograder.sandbox.manager import ForkedKernelManager
from tests.support.notebooks import run
from tests.support.paths import ROOT
from tests.support.processes import running
from tests.support.small_course import LESSON, make_course, wait_until

IDLE = {"execution_state": "idle"}
STARTS = """
import subprocess, time
process = subprocess.Popen(["sleep", "{seconds}"], start_new_session=True)
time.sleep(0.1)
print("it runs" if process.poll() is None else "it has ended")
"""

FILLS_PAGE_TABLES = """
import mmap, os, signal, time
STEP = 2 << 20  # a table for each
reading, writing = os.pipe()
children = []
for _ in range(14):
    child = os.fork()
    if not child:
        space = mmap.mmap(-1, 7500 * STEP, flags=0x4022, prot=mmap.PROT_READ)
        space.madvise(mmap.MADV_NOHUGEPAGE)
        space[::STEP]
        os.write(writing, b".")
        signal.pause()
    children.append(child)
for _ in children:
    os.read(reading, 1)
time.sleep(1)
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print("not noticed")
"""

FILLS_CONNECTIONS = """
import socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind("listener")
listener.listen(4096)
sent = 0
for _ in range(1000):
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        client.connect("listener")
        try:
            while True:
                sent += client.send(bytes(1 << 16))
        except BlockingIOError:
            pass
time.sleep(1)
print("not noticed", "much was sent" if sent > 100 << 20 else sent)
"""


def traceback_of(cell: str) -> str:
    """Return the traceback of a cell that fails."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    (output,) = execute(notebook, {}, Limits()).cells[0].outputs
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))


def test_cells_share_their_names_and_print() -> None:
    assert run("x = 20", "print(2 * x + 2)") == "42\n"


def test_a_figure_is_shown_at_the_end_of_its_cell() -> None:
    output = run("import matplotlib.pyplot as plt", "plt.plot([1, 2]);")
    assert output == "image/png/text/plain"


def test_outputs_are_kept_up_to_what_they_take_in_memory() -> None:
    display = "from IPython.display import display\n"
    shown = "display({'text/plain': '1'}, raw=True, metadata={'a': [{}] * %d})\n"
    assert run(display + shown % 100 * 200) == "text/plain" * 200
    assert run(display + shown % 200_000) == ""


def test_a_traceback_ends_where_the_hidden_frames_begin() -> None:
    traceback = traceback_of(
        "def helper():\n    __tracebackhide__ = True\n    raise ValueError('no words')\n"
        "def answer():\n    helper()\nanswer()"
    )
    assert "----> 6 answer()" in traceback
    assert "----> 5     helper()" in traceback
    assert "----> 3" not in traceback
    assert traceback.endswith("ValueError: no words")


def test_an_odd_dictionary_of_names_hides_no_error() -> None:
    output = run("class Names(dict):\n    get = 3\nexec('1/0', {}, Names())")
    assert output.endswith("ZeroDivisionError: division by zero")


def test_a_kernel_whose_first_reply_is_lost_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ready_after() -> int:
        manager = ForkedKernelManager()
        await manager.start_kernel(cwd=str(tmp_path))
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=20)
        number = client.kernel_info()
        while message := await client.get_iopub_msg(timeout=20):  # until it is silent
            if (message["parent_header"].get("msg_id"), message["content"]) == (number, IDLE):
                break
        requests: list[object] = []
        request = client.kernel_info
        monkeypatch.setattr(
            client, "kernel_info", lambda: requests.append(request() if requests else None)
        )
        await client.wait_for_ready(timeout=20)
        await manager.shutdown_kernel(now=True)
        return len(requests)

    assert asyncio.run(ready_after()) >= 2


def test_no_two_kernels_draw_the_same_random_numbers() -> None:
    draws = "import numpy as np\nprint(np.random.randint(10**9))"
    assert run(draws) != run(draws)


def test_a_kernel_finds_its_files_and_leaves_none() -> None:
    where = run(
        "import os\nprint(os.getcwd())\nassert open('data/note.txt').read() == 'hi'\n"
        "open('more.txt', 'w').close()",
        files={"data/note.txt": b"hi"},
    ).strip()
    assert os.path.isabs(where)
    assert not os.path.exists(where)


def test_a_kernel_knows_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    kernel_server().close()  # the next one inherits the secret
    output = run("import os\nprint(sorted(os.environ))")
    assert "'HOME'" in output
    assert "TOKEN" not in output
    assert "NBGRADER" not in output


@pytest.mark.parametrize("student", ["ada", "$HOME and sons"])
def test_a_kernel_knows_whose_work_it_runs_if_the_caller_says_so(student: str) -> None:
    cell = nbformat.v4.new_code_cell("import os\nprint(os.environ.get('STUDENT'))")
    for resources, printed in (({"student": student}, student), ({}, "None")):
        notebook = nbformat.v4.new_notebook(cells=[cell])
        done = execute(notebook, resources, Limits())
        assert done.cells[0].outputs[0].text.strip() == printed


def test_a_file_has_a_largest_size() -> None:
    output = run(
        "with open('large', 'wb') as f:\n    f.write(bytes(3 * 2**20))", limits=Limits(file_mb=1)
    )
    assert output.startswith("OSError")


def test_a_notebook_that_uses_up_its_time_ends_there() -> None:
    began = time.monotonic()
    cells = ["import time\nprint('begun')\ntime.sleep(60)"] * 5
    output = run(*cells, limits=Limits(cell_seconds=30, notebook_seconds=3))
    assert output.startswith("begun\n")
    assert output.count("begun") == 1
    assert time.monotonic() - began < 30


def test_what_a_kernel_started_ends_with_it() -> None:
    output = run(STARTS.format(seconds=86401))
    assert output == "it runs\n"
    assert wait_until(lambda: not running("sleep 86401"))


def test_what_a_kernel_started_ends_when_it_dies() -> None:
    output = run(STARTS.format(seconds=86402), "import os\nos._exit(1)")
    assert output.startswith("it runs\n")
    assert wait_until(lambda: not running("sleep 86402"))


def test_workers_share_the_memory_of_their_kernel() -> None:
    workers = (
        "import multiprocessing, time\n"
        "data = b'x' * (300 << 20)\n"
        "def length(_):\n    time.sleep(0.3)\n    return len(data)\n"
        "with multiprocessing.get_context('fork').Pool(4) as pool:\n"
        "    print(sum(pool.map(length, range(12), 1)) >> 20)"
    )
    assert run(workers, limits=Limits(memory_mb=700)) == "3600\n"


@pytest.mark.parametrize(("memory_mb", "ended"), [(1000, OK), (300, OUT_OF_MEMORY)])
def test_what_waits_in_connections_that_nobody_accepted_is_memory(
    memory_mb: int, ended: str
) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FILLS_CONNECTIONS)])
    (cell,) = execute(notebook, {}, Limits(memory_mb=memory_mb)).cells
    assert cell.metadata[ENDED] == ended, cell.outputs
    assert ended != OK or "much was sent" in cell.outputs[0].text


def test_the_buffer_of_a_socket_keeps_its_size_and_other_options_are_set() -> None:
    printed = run(
        "import socket\n"
        "end, other = socket.socketpair()\n"
        "before = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)\n"
        "for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):\n"
        "    end.setsockopt(socket.SOL_SOCKET, option, 1 << 20)\n"
        "end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "print(end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == before,"
        " end.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR))"
    )
    assert printed == "True 1\n"


def test_a_kernel_adds_no_filter_of_its_own() -> None:
    printed = run(
        "import ctypes, errno, platform\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "number = 277 if platform.machine() == 'aarch64' else 317\n"
        "for call in (lambda: libc.prctl(22, 2, 0, 0, 0), lambda: libc.syscall(number, 1, 8, 0)):\n"
        "    call()\n"
        "    print(errno.errorcode[ctypes.get_errno()])"
    )
    assert printed == "EINVAL\nENOSYS\n"


def session_keyring() -> int:
    """Return the number of the keyring of this session; 0 where there is none."""
    with contextlib.suppress(OSError):
        return call("syscall", seccomp.KEYCTL[seccomp.machine()[0]], 0, -3, 0)
    return 0


def test_without_privileges_a_process_has_other_keys_and_makes_no_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seccomp, "restrict_calls", lambda: None)  # which refuses both once more
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            before = session_keyring()
            namespaces.drop_privileges(namespaces.host_user(1))
            os.write(writing, b"same keys, " if before == session_keyring() != 0 else b"")
            call("unshare", namespaces.NEWUSER)
        except OSError as error:
            os.write(writing, errno.errorcode[error.errno or 0].encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading) as printed:
        assert printed.read() == "ENOSPC"


def test_what_is_mounted_in_a_folder_keeps_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounted" / "inner").mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    changed: list[str] = []
    monkeypatch.setattr(os.path, "ismount", lambda path: path.endswith("mounted"))
    monkeypatch.setattr(
        os, "chown", lambda path, *_, **__: changed.append(os.path.relpath(path, tmp_path))
    )
    namespaces.change_owner(str(tmp_path), 1000)
    assert sorted(changed) == [".", "folder", "folder/file"]


@pytest.mark.parametrize(("memory_mb", "ended"), [(1000, OK), (350, OUT_OF_MEMORY)])
def test_page_tables_of_all_processes_together_are_memory(memory_mb: int, ended: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FILLS_PAGE_TABLES)])
    (cell,) = execute(notebook, {}, Limits(memory_mb=memory_mb)).cells
    assert cell.metadata[ENDED] == ended, cell.outputs


def test_programs_that_end_while_they_are_looked_at_run_undisturbed() -> None:
    programs = (
        "import subprocess, time\n"
        "began, codes = time.monotonic(), set()\n"
        "while time.monotonic() < began + 2:\n"
        "    codes.add(subprocess.run(['sh', '-c', 'sleep 0.001; exit 3']).returncode)\n"
        "print(codes)"
    )
    assert run(programs) == "{3}\n"


def test_after_a_crash_what_a_failed_cell_defined_is_there_again() -> None:
    output = run(
        "def f():\n    return 'here'\n\n1 / 0",
        "print(f())",
        "import os\nos._exit(1)",
        "print(f(), 'again')",
    )
    assert output == "ZeroDivisionError: division by zerohere\nhere again\n"


def test_a_cell_that_nothing_stops_at_the_end_of_the_time_costs_itself_alone() -> None:
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    output = run("print('before')", stubborn, limits=Limits(cell_seconds=1, notebook_seconds=2))
    assert output.startswith("before\n")


def test_a_message_that_no_client_understands_costs_its_cell_alone() -> None:
    output = run(
        "print('before')",
        "import comm\ncomm.create_comm(target_name='jupyter.widget', data={})",
        "print('after')",
    )
    assert "before\n" in output
    assert "after\n" in output


def test_a_server_that_died_is_started_again() -> None:
    server = kernel_server()
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.is_alive())
    assert run("print('alive')") == "alive\n"


def test_an_engine_that_is_killed_leaves_no_process() -> None:
    engine = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from tests.support.notebooks import run\n"
            "run(\"import subprocess\\nsubprocess.run(['sleep', '86403'])\")",
        ],
        cwd=ROOT,
    )
    assert wait_until(lambda: running("sleep 86403"), 60)
    engine.kill()
    engine.wait()
    assert wait_until(lambda: not running("sleep 86403"))


def test_stock_nbgrader_runs_on_forked_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(tmp_path)
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "forked")
    course.hand_in("ada", {"double": "import sys\ndef double(x):\n    return x * 2"})
    assert course.run("nbgrader", "generate_assignment", LESSON, "--force").returncode == 0
    done = course.run("nbgrader", "autograde", LESSON)
    assert done.returncode == 0, done.stderr
    graded = tmp_path / "autograded" / "ada" / LESSON / f"{LESSON}.ipynb"
    outputs = {c["id"]: c.get("outputs") for c in nbformat.read(graded, as_version=4).cells}
    assert outputs["test-double"] == outputs["hidden-double"] == []
    assert outputs["test-greet"][0].ename == "NotImplementedError"
