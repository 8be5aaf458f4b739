"""A JupyterHub for one class.

`make hub` starts it on this machine with a demonstration class. A real server uses the same file:
edit the settings at the top, start `jupyterhub -f hub/jupyterhub_config.py`; details are in
docs/instructors.md.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from accounts import GRADER
from jupyterhub.utils import random_port
from people import Passwords, course_of, members, people
from spawners import OneAccount, SystemAccounts, hub_port

c = get_config()  # noqa: F821 (defined by JupyterHub)

# ---- Your class ----------------------------------------------------------------------------------

# The hub's URL. On a server: https, behind a proxy or with c.JupyterHub.ssl_cert.
ADDRESS = os.environ.get("HUB_ADDRESS", "http://127.0.0.1:8000")
# Folder of the hub's files, homes (of one account), exchange, and the course with its gradebook.
CLASSROOM = Path(os.environ.get("HUB_CLASSROOM", "classroom")).absolute()
# nbgrader's name of the course.
COURSE = "cnn"
# Login names.
INSTRUCTORS, STUDENTS = people(CLASSROOM)
# "one": all servers run as the user who starts the hub; for a demo, or in a separate container.
# "system": each server runs as the system account of its user; the hub runs as root.
ACCOUNTS = os.environ.get("HUB_ACCOUNTS", "one")
# Checks passwords: the list of the class, PAM ("pam"), or any JupyterHub authenticator.
AUTHENTICATOR = "pam" if ACCOUNTS == "system" else Passwords
# Memory limit per process, in bytes, and number of processors per user.
MEMORY, PROCESSORS = 4 << 30, 2
# An idle server is stopped after so many seconds: its files stay.
IDLE = 3600
# Whether servers, with all that runs there, go on when the hub stops: its next start adopts them.
KEEP_SERVERS = os.environ.get("HUB_KEEP_SERVERS", "1") == "1"
# Immediate feedback: how often per student, lesson and day. 0: none, you release feedback yourself.
DAILY_LIMIT = int(os.environ.get("HUB_DAILY_LIMIT", "0"))

# ---- Derived settings ----------------------------------------------------------------------------

HERE = Path(__file__).parent.absolute()
PROGRAMS = Path(sys.executable).parent
EXCHANGE = CLASSROOM / "exchange"
# Folders of courses by name: the first, and those that `classroom.py --course` has added.
COURSES = {COURSE: CLASSROOM / "course"}
COURSES |= {path.name: path for path in sorted((CLASSROOM / "courses").glob("*/"))}
CLASS_ENVIRONMENT = {
    "EXCHANGE": str(EXCHANGE),
    "JUPYTER_PATH": str(HERE.parent / "autograder/share/jupyter"),  # the students' front
    "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
}
# Jupyter refuses to run as root without this option.
SERVER = [str(PROGRAMS / "jupyterhub-singleuser")]
SERVER += ["--allow-root"] if os.geteuid() == 0 and ACCOUNTS == "one" else []

c.JupyterHub.bind_url = ADDRESS
c.JupyterHub.hub_port = hub_port(CLASSROOM)  # servers that outlive the hub look for it there
c.JupyterHub.cleanup_servers = not KEEP_SERVERS
# A server asks at an interrupt whether it is meant; SIGTERM, which comes next, it obeys.
c.LocalProcessSpawner.interrupt_timeout = 1
c.JupyterHub.db_url = f"sqlite:///{CLASSROOM}/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{CLASSROOM}/hub/cookie_secret"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{random_port()}"
c.ConfigurableHTTPProxy.command = [str(HERE / "node_modules/.bin/configurable-http-proxy")]
c.ConfigurableHTTPProxy.pid_file = f"{CLASSROOM}/hub/proxy.pid"

c.JupyterHub.authenticator_class = AUTHENTICATOR
c.Authenticator.allowed_users = INSTRUCTORS | STUDENTS
c.Passwords.classroom = str(CLASSROOM)

c.JupyterHub.spawner_class = SystemAccounts if ACCOUNTS == "system" else OneAccount
c.OneAccount.home_dir_template = f"{CLASSROOM}/homes/{{username}}"
c.Spawner.cmd = SERVER
c.Spawner.default_url = "/lab"


def grading(name: str) -> str:
    """Return the address of the page of the class for its instructors; empty for students."""
    teaches = name in people(CLASSROOM)[0]
    return f"/services/{course_of(CLASSROOM, name, COURSE)}/class" if teaches else ""


# When a class logs in at the same time, its servers share the processors while they start.
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.Spawner.mem_limit = MEMORY
c.Spawner.cpu_limit = PROCESSORS
c.Spawner.environment = {
    **CLASS_ENVIRONMENT,
    "JUPYTER_CONFIG_PATH": str(HERE / "config/student"),
    "COURSE_ID": lambda spawner: course_of(CLASSROOM, spawner.user.name, COURSE),
    "COURSE_GRADING": lambda spawner: grading(spawner.user.name),
}

c.JupyterHub.load_groups = {
    f"{group}-{course}": {"users": sorted(names)}
    for course in COURSES
    for group, names in zip(
        ("formgrade", "nbgrader"), members(CLASSROOM, course, COURSE), strict=True
    )
}
c.JupyterHub.load_roles = [
    # The page of a class and the formgrader: a service that only its instructors may open.
    *(
        {
            "name": f"formgrade-{course}",
            "groups": [f"formgrade-{course}"],
            "scopes": [f"access:services!service={course}", f"read:services!service={course}"],
        }
        for course in COURSES
    ),
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]
# With system accounts, the courses belong to the grader's.
COURSE_OWNER = {"user": GRADER} if ACCOUNTS == "system" else {}
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    },
]
for course, folder in COURSES.items():
    environment = {**CLASS_ENVIRONMENT, "COURSE_ID": course, "HOME": str(folder)}
    instructors, _ = members(CLASSROOM, course, COURSE)
    grader = {
        **COURSE_OWNER,
        "name": course,
        "url": f"http://127.0.0.1:{random_port()}",
        "command": SERVER,
        "cwd": str(folder),
        "oauth_no_confirm": True,
        "environment": {
            **environment,
            "JUPYTER_CONFIG_PATH": str(HERE / "config/instructor"),
            "JUPYTERHUB_DEFAULT_URL": "/class",
            # Who has started a lesson; closed to the grader where each has an account.
            "COURSE_HOMES": str(CLASSROOM / "homes"),
            "COURSE_INSTRUCTORS": " ".join(sorted(instructors)),
        },
    }
    watch = {
        **COURSE_OWNER,
        "name": "immediate-feedback" if course == COURSE else f"immediate-feedback-{course}",
        "command": [str(PROGRAMS / "autograder"), "watch", f"--daily-limit={DAILY_LIMIT}"],
        "cwd": str(folder),
        "environment": environment,
    }
    c.JupyterHub.services += [grader, *([watch] if DAILY_LIMIT else [])]
