"""`make hub`: a demonstration class, or your own, on this machine. It runs until Ctrl-C.

write_files (homes, exchange, course) -> release the lessons -> start JupyterHub -> print its URL
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import accounts
import psutil
from people import INVITATIONS, invite, read

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
INSTRUCTORS, STUDENTS = ["lea"], ["ada", "alan", "emmy", "yann"]
# The last line of the course's nbgrader_config.py: the exchange lies beside the course's folder.
EXCHANGE_SETTING = "c.Exchange.root = os.path.join(c.CourseDirectory.root, '..', 'exchange')\n"
START_TIMEOUT = 120  # seconds until the hub must respond
STOP_TIMEOUT = 15.0  # seconds until a hub that was asked to stop is killed; some 5 are usual


def main() -> None:
    """Set up the classroom, run its hub, and stop it cleanly."""
    options = parse()
    if not options.files_only and in_use(options.port):
        sys.exit(f"hub: port {options.port} is in use: choose another with make hub PORT=...")
    classroom = Path(options.classroom).absolute()
    if kept := write_files(classroom):
        print(f"Kept as they are in {classroom / 'course'}, though this version has others:")
        print("  " + "\n  ".join(kept))
        print("To take the new one, move yours away and start again.")
    demo = ([], []) if options.files_only or options.course else (INSTRUCTORS, STUDENTS)
    if options.course:
        add_course(classroom, options.course, options.from_term)
    instructors, students = [*demo[0], *options.instructor], [*demo[1], *options.student]
    known = read(classroom)
    logins = invite(classroom, instructors, students, options.course)
    new = [name for name in logins if name not in known]
    with owners(classroom, logins, options) as grader:
        enter(classroom, grader, options.course, [n for n in new if not logins[n]["teaches"]])
        release(classroom, grader, options.release)
        if options.files_only and new:
            print(f"New: {', '.join(new)}. Passwords: {classroom / INVITATIONS}")
        if not options.files_only:
            sys.exit(run(classroom, logins, options))


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classroom", default="classroom", help="folder of the classroom")
    parser.add_argument("--port", type=int, default=8000, help="port of the hub")
    parser.add_argument(
        "--student", action="append", default=[], help="name of one more student; may be repeated"
    )
    parser.add_argument(
        "--instructor", action="append", default=[], help="name of one more instructor"
    )
    parser.add_argument(
        "--course",
        default="",
        help="add a course of this name to the hub; --student and --instructor belong to it",
    )
    parser.add_argument(
        "--from-term", default="", help="move the folder of `autograder next-term` there"
    )
    parser.add_argument(
        "--release",
        action="append",
        default=[],
        help="a lesson to release; may be repeated. At the first start, else, the first two",
    )
    parser.add_argument(
        "--accounts",
        choices=("one", "system"),
        default="one",
        help="run all servers as one account, or each as the system account of its user",
    )
    parser.add_argument(
        "--daily-limit",
        type=int,
        default=0,
        help="immediate feedback, so often per student, lesson and day; 0: none",
    )
    parser.add_argument(
        "--keep-servers",
        action="store_true",
        help="leave students' servers running when the hub stops: its next start takes them back",
    )
    parser.add_argument(
        "--files-only", action="store_true", help="write the files, but start no hub"
    )
    return parser.parse_args()


def in_use(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def write_files(classroom: Path) -> list[str]:
    """Write the folders of a classroom, and the files that its course does not have yet.

    What is in the course stays, the instructor may have changed it. Return the names of files that
    are not as this version has them.
    """
    course, exchange = classroom / "course", classroom / "exchange"
    for folder in (course, exchange, classroom / "homes", classroom / "hub"):
        folder.mkdir(parents=True, exist_ok=True)
    exchange.chmod(0o1777)  # writable by all, as nbgrader requires; sticky: each keeps their files
    kept = []
    for name, content in course_files():
        path = course / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        elif path.read_bytes() != content:
            kept.append(name)
    return kept


def course_files() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file of a new course."""
    for stage in ("source", "release"):
        for path in sorted((ROOT / stage).glob("*/**/*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "/." not in name:  # no .ipynb_checkpoints
                yield name, path.read_bytes()
    for path in sorted((ROOT / "answers").glob("*.py")):  # by which feedback names mistakes
        yield f"answers/{path.name}", path.read_bytes()
    settings = (ROOT / "nbgrader_config.py").read_text()
    yield "nbgrader_config.py", f"{settings}\n{EXCHANGE_SETTING}".encode()


def add_course(classroom: Path, name: str, folder: str) -> None:
    """Add a course to a classroom: an empty one, or one that `autograder next-term` wrote."""
    course = classroom / "courses" / name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}", name) or name == "cnn":
        sys.exit(f"hub: --course {name!r} must be letters, digits and dashes, and not cnn")
    if course.exists():
        if folder:
            sys.exit(f"hub: the course {name} is there already: nothing was moved")
        return
    settings = ROOT / "nbgrader_config.py"
    if folder:
        settings = Path(folder, "nbgrader_config.py")
        if not settings.is_file() or f'course_id = "{name}"' not in settings.read_text():
            sys.exit(f"hub: {folder} is not the folder of a course {name}: autograder next-term")
    course.parent.mkdir(exist_ok=True)
    text = settings.read_text()
    if folder:
        shutil.move(folder, course)
    for stage in ("source", "release"):
        (course / stage).mkdir(parents=True, exist_ok=True)
    text += f'\nc.CourseDirectory.course_id = "{name}"\n'
    text += EXCHANGE_SETTING.replace("'..', 'exchange'", "'..', '..', 'exchange'")
    (course / "nbgrader_config.py").write_text(text)


@contextmanager
def owners(
    classroom: Path, logins: Mapping[str, Any], options: argparse.Namespace
) -> Iterator[str | None]:
    """Create system accounts, if requested, while the hub runs. Yield the grader's, or None.

    Accounts that were created here are removed at the end, except with --files-only.
    """
    if options.accounts == "one":
        yield None
        return
    if os.geteuid() != 0:
        sys.exit("hub: system accounts need root")
    new = accounts.make(logins, classroom)
    try:
        accounts.hand_over(classroom, logins)
        if not reads_python(accounts.GRADER):
            sys.exit(
                f"hub: other users cannot read {sys.executable}: set up the course in a folder, and"
                " with a Python, that they can read (make PYTHON=/usr/bin/python3 ...)"
            )
        yield accounts.GRADER
    finally:
        if not options.files_only:
            accounts.remove(new)


def reads_python(name: str) -> bool:
    """Whether a system account can run this Python."""
    try:
        command = [sys.executable, "-c", "import jupyterhub"]
        return subprocess.run(command, user=name, capture_output=True, cwd="/").returncode == 0
    except OSError:
        return False


def enter(classroom: Path, grader: str | None, course: str, students: list[str]) -> None:
    """Enter new students in the gradebook of their course: the page of the class lists them."""
    if not students:
        return
    folder = classroom / "courses" / course if course else classroom / "course"
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as table:
        table.write("\n".join(["id,email", *(f"{name}," for name in students)]) + "\n")
        table.flush()
        os.chmod(table.name, 0o644)
        command = [PROGRAMS / "autograder", "roster", table.name]
        environment = {**os.environ, "HOME": str(folder)}
        done = subprocess.run(
            command, cwd=folder, env=environment, user=grader, capture_output=True, text=True
        )
    if done.returncode:  # they can work all the same
        print(
            f"Not in the gradebook: {', '.join(students)}. {(done.stderr or done.stdout).strip()}"
        )


def release(classroom: Path, grader: str | None, lessons: list[str]) -> None:
    """Release lessons that are not in the exchange yet; if none, the first two of a new class."""
    course, outbound = classroom / "course", classroom / "exchange" / "cnn" / "outbound"
    known = sorted(path.name for path in (course / "release").iterdir())
    if unknown := set(lessons) - set(known):
        sys.exit(f"hub: no lesson {min(unknown)!r}; available: {', '.join(known)}")
    for lesson in lessons or ([] if outbound.exists() else known[:2]):
        if not (outbound / lesson).exists():
            command = [PROGRAMS / "nbgrader", "release_assignment", lesson, "--log-level=ERROR"]
            environment = {**os.environ, "HOME": str(course)}
            subprocess.run(command, cwd=course, env=environment, user=grader, check=True)
    if grader:
        accounts.hand_over(classroom, ())


def run(classroom: Path, logins: Mapping[str, Any], options: argparse.Namespace) -> int:
    """Run the hub until Ctrl-C; return its exit status."""
    address = f"http://127.0.0.1:{options.port}"
    settings = {
        "HUB_ADDRESS": address,
        "HUB_CLASSROOM": str(classroom),
        "HUB_ACCOUNTS": options.accounts,
        "HUB_DAILY_LIMIT": str(options.daily_limit),
        "HUB_KEEP_SERVERS": "1" if options.keep_servers else "0",
    }
    with (classroom / "hub" / "log").open("w") as log:
        hub = subprocess.Popen(
            [PROGRAMS / "jupyterhub", "-f", ROOT / "hub" / "jupyterhub_config.py"],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches this process, which sends the hub SIGTERM
        )
        asked = threading.Event()
        last_resort = threading.Timer(
            STOP_TIMEOUT, end_all, (hub.pid, classroom, options.keep_servers)
        )
        last_resort.daemon = True

        def stop(*_: object) -> None:
            """Ask the hub to stop, once: a second request while it stops can make it hang."""
            if not asked.is_set():
                asked.set()
                hub.send_signal(signal.SIGTERM)
                last_resort.start()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if not answers(hub, f"{address}/hub/health"):
            hub.terminate()
            hub.wait()
            end_proxy(classroom)
            sys.exit(f"hub: it does not start; for the reason see {log.name}")
        print(f"Open {address}")
        for name, who in logins.items():
            role = "instructor" if who["teaches"] else "student"
            print(f"  {role:10}  {name:8}  {who.get('password', 'was handed out')}")
        print(f"Ctrl-C stops it; the files in {classroom} stay.", flush=True)
        status = hub.wait()
        last_resort.cancel()
        if not asked.is_set():
            return status
        if status < 0:  # it had to be killed
            last_resort.join()
        return max(status, 0)


def end_all(pid: int, classroom: Path, keep_servers: bool) -> None:
    """End a hub that does not stop by itself, and what it started; the users' servers, if not kept.

    A server may have been started by an earlier hub, which kept it.
    """
    with suppress(psutil.NoSuchProcess):
        hub = psutil.Process(pid)
        of_users = {each for each in psutil.process_iter() if is_users(each, classroom / "homes")}
        inside = {each for server in of_users for each in children_of(server)}
        started = {hub, *children_of(hub)}
        ending = started - of_users - inside if keep_servers else started | of_users | inside
        for process in ending:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(ending - {hub}, timeout=5)


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """Return what a process started, and all that those started."""
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def is_users(process: psutil.Process, homes: Path) -> bool:
    """Whether a process is a user's server, or runs in one."""
    try:
        environment = process.environ()
    except psutil.Error:
        return False
    # The name is empty in the hub's services.
    return (
        bool(environment.get("JUPYTERHUB_USER"))
        and homes in Path(environment.get("HOME", "")).parents
    )


def end_proxy(classroom: Path) -> None:
    """End the proxy that a failed hub leaves running, and free its port."""
    with suppress(OSError, ValueError):
        os.kill(int((classroom / "hub" / "proxy.pid").read_text()), signal.SIGTERM)


def answers(hub: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the hub responds within START_TIMEOUT."""
    deadline = time.monotonic() + START_TIMEOUT
    while hub.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url):
                return True
        except URLError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()
