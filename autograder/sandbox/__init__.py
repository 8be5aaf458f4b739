"""Kernels that start by fork in a quarter of a second and can reach nothing but their own files.

manager       jupyter_client's manager and client for such a kernel
provisioner   jupyter_client's provisioner: entry point `forked`
fork_client   the grader's end of the server that forks
fork_server   that server, a process of its own
kernel        what a forked child does to become a kernel
init          its first process: relays its messages, bounds what it takes, reaps what it leaves
relay         the bytes between grader and kernel, counted
namespaces    what it can see: files, processes, network, users
landlock      where it may write, a second layer
seccomp       which system calls it may make, a third layer
preload       what is imported before kernels are forked
"""

CONNECTION_FILE = "kernel.json"  # jupyter_client's, in the folder of a kernel's sockets
SOCKET = 3  # file descriptor of the socket between the two kernels of a notebook, in both
