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
from people import Passwords, people
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
EXCHANGE, COURSE_FOLDER = CLASSROOM / "exchange", CLASSROOM / "course"
CLASS_ENVIRONMENT = {
    "COURSE_ID": COURSE,
    "EXCHANGE": str(EXCHANGE),
    "JUPYTER_PATH": str(HERE.parent / "autograder/share/jupyter"),  # the students' front
    "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
}
# Jupyter refuses to run as root without this option.
SERVER = [str(PROGRAMS / "jupyterhub-singleuser")]
SERVER += ["--allow-root"] if os.geteuid() == 0 and ACCOUNTS == "one" else []
GRADING = f"/services/{COURSE}/class"

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
# When a class logs in at the same time, its servers share the processors while they start.
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.Spawner.mem_limit = MEMORY
c.Spawner.cpu_limit = PROCESSORS
c.Spawner.environment = {
    **CLASS_ENVIRONMENT,
    "JUPYTER_CONFIG_PATH": str(HERE / "config/student"),
    "COURSE_GRADING": lambda spawner: GRADING if spawner.user.name in people(CLASSROOM)[0] else "",
}

c.JupyterHub.load_groups = {
    f"formgrade-{COURSE}": {"users": sorted(INSTRUCTORS)},
    f"nbgrader-{COURSE}": {"users": sorted(STUDENTS)},
}
c.JupyterHub.load_roles = [
    # The instructor's page and the formgrader: a service that only instructors may open. It runs in
    # the course's folder.
    {
        "name": f"formgrade-{COURSE}",
        "groups": [f"formgrade-{COURSE}"],
        "scopes": [f"access:services!service={COURSE}", f"read:services!service={COURSE}"],
    },
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]
# With system accounts, the course belongs to the grader's.
COURSE_OWNER = {"user": GRADER} if ACCOUNTS == "system" else {}
c.JupyterHub.services = [
    {
        **COURSE_OWNER,
        "name": COURSE,
        "url": f"http://127.0.0.1:{random_port()}",
        "command": SERVER,
        "cwd": str(COURSE_FOLDER),
        "oauth_no_confirm": True,
        "environment": {
            **CLASS_ENVIRONMENT,
            "HOME": str(COURSE_FOLDER),
            "JUPYTER_CONFIG_PATH": str(HERE / "config/instructor"),
            "JUPYTERHUB_DEFAULT_URL": "/class",
            # Who has started a lesson; closed to the grader where each has an account.
            "COURSE_HOMES": str(CLASSROOM / "homes"),
            "COURSE_INSTRUCTORS": " ".join(sorted(INSTRUCTORS)),
        },
    },
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    },
]
if DAILY_LIMIT:
    c.JupyterHub.services.append(
        {
            **COURSE_OWNER,
            "name": "immediate-feedback",
            "command": [str(PROGRAMS / "autograder"), "watch", f"--daily-limit={DAILY_LIMIT}"],
            "cwd": str(COURSE_FOLDER),
            "environment": {**CLASS_ENVIRONMENT, "HOME": str(COURSE_FOLDER)},
        }
    )
