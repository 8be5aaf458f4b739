"""`make hub`: a class to look at, or your own, on this machine. It runs until Ctrl-C.

lay out (homes, exchange, course) -> release the lessons -> start JupyterHub -> say where
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from people import invite

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
INSTRUCTORS, STUDENTS = ["lea"], ["ada", "alan", "emmy", "yann"]
PATIENCE = 120  # seconds until the hub has to answer


def main() -> None:
    """Set up the classroom, run its hub, and stop it cleanly."""
    options = parse()
    classroom, address = Path(options.classroom).absolute(), f"http://127.0.0.1:{options.port}"
    lay_out(classroom)
    logins = invite(classroom, INSTRUCTORS, [*STUDENTS, *options.student])
    release(classroom)
    environment = {
        **os.environ,
        "HUB_ADDRESS": address,
        "HUB_CLASSROOM": str(classroom),
        "HUB_MARKS_A_DAY": str(options.marks_a_day),
    }
    with (classroom / "hub" / "log").open("w") as log:
        hub = subprocess.Popen(
            [PROGRAMS / "jupyterhub", "-f", ROOT / "hub" / "jupyterhub_config.py"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours: the hub is told to end in its own way
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: hub.send_signal(signal.SIGTERM))
        if not answers(hub, f"{address}/hub/health"):
            hub.terminate()
            sys.exit(f"hub: it does not start. {log.name} says why")
        print(f"Open {address}", flush=True)
        for name, who in logins.items():
            print(
                f"  {'instructor' if who['teaches'] else 'student':10}  {name:8}  {who['password']}"
            )
        print("Ctrl-C stops it; what is in", classroom, "stays.", flush=True)
        sys.exit(hub.wait())


def parse() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classroom", default="classroom", help="the folder for all of it")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--student", action="append", default=[], help="one more; may be repeated")
    parser.add_argument(
        "--marks-a-day", type=int, default=0, help="marks at once, so many times a day"
    )
    return parser.parse_args()


def lay_out(classroom: Path) -> None:
    """Make the folders of a classroom, with the lessons as they are now; its gradebook stays."""
    course, exchange = classroom / "course", classroom / "exchange"
    for folder in (course, exchange, classroom / "homes", classroom / "hub"):
        folder.mkdir(parents=True, exist_ok=True)
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage, course / stage, dirs_exist_ok=True)
    settings = (ROOT / "nbgrader_config.py").read_text()
    (course / "nbgrader_config.py").write_text(f"{settings}c.Exchange.root = {str(exchange)!r}\n")
    exchange.chmod(0o777)  # nbgrader asks for it; its folders in there are closed


def release(classroom: Path) -> None:
    """Put the lessons that are not there yet into the exchange, where students fetch them."""
    course = classroom / "course"
    for lesson in sorted(path.name for path in (course / "release").iterdir()):
        if not (classroom / "exchange" / "cnn" / "outbound" / lesson).exists():
            subprocess.run(
                [PROGRAMS / "nbgrader", "release_assignment", lesson, "--log-level=ERROR"],
                cwd=course,
                check=True,
            )


def answers(hub: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the hub answers before it ends, or before patience does."""
    deadline = time.monotonic() + PATIENCE
    while hub.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url):
                return True
        except URLError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()
