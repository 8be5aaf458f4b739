"""Grading on a Dask cluster: its executor runs notebooks as this machine's threads would.

Nothing is shared but what is sent: the notebook, the files beside it and the limits. Each worker
starts its own server of kernels; a notebook whose worker is lost is run again by another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from autograder.errors import UsageError, one_line
from autograder.forkserver import ForkServer


@contextmanager
def cluster(address: str, preload: Iterable[str]) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster at `address`, and how many notebooks it runs at a time.

    Each worker's server warms up at once. Raises UsageError where there is no such cluster.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--scheduler needs Dask: pip install 'cnn-course[cluster]'") from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no scheduler of Dask at {address}: {one_line(error)}") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise UsageError(f"the cluster at {address} has no workers")
        client.run(warm_up, sorted(preload))
        yield client.get_executor(pure=False, retries=2), threads


def warm_up(preload: list[str]) -> None:
    """Start the server of kernels of a worker."""
    ForkServer.shared(preload)
