"""Grading on a Dask cluster: its executor runs notebooks as the threads of this machine would.

Workers share no files: each call carries the notebook, the files beside it and the limits. Each
worker starts its own fork server; a notebook whose worker is lost is retried on another one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autograder.errors import GraderError, LessonError, UsageError, one_line
from autograder.execution.execute import kernel_server
from autograder.versions import versions

if TYPE_CHECKING:
    import distributed

log = logging.getLogger(__name__)
RETRIES = 2  # of a notebook that a worker could not run, on any free worker
LOST = "the scheduler of the cluster was lost: run the command again when it is back"


@contextmanager
def cluster(
    address: str, preload: Iterable[str], confined: bool = True
) -> Iterator[tuple[Executor, int]]:
    """Yield an executor on the cluster at `address`, and how many notebooks it runs at a time.

    The fork servers of all workers are started first. Raise UsageError where there is no such
    cluster, or where one of its workers would not grade as this machine does.
    """
    try:
        from distributed import Client  # optional: the extra `cluster`
        from distributed.comm.addressing import resolve_address  # optional: the extra `cluster`
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask: pip install 'nbgrader-autograder[cluster]'"
        ) from None
    try:
        resolve_address(address)  # a client with an invalid address takes long to close
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler at {address}: {one_line(error)}") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise UsageError(f"the cluster at {address} has no workers")
        check_workers(client.run(warm_up, sorted(preload), on_error="return"), confined)
        yield ClusterExecutor(client), threads


def warm_up(preload: list[str]) -> tuple[str, str]:
    """Start the fork server of a worker; return its versions, and why it cannot confine kernels."""
    return versions(), kernel_server(preload).confinement_error()


def check_workers(answers: Mapping[str, Any], confined: bool) -> None:
    """Raise UsageError unless each worker grades as this machine does.

    `answers` are the results of warm_up(), or its exceptions, by worker.
    """
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            raise UsageError(f"the worker {worker} cannot grade: {one_line(answer)}")
        installed, unconfined = answer
        if installed != versions():
            other = ", ".join(sorted({*installed.split()} - {*versions().split()}))
            raise UsageError(
                f"the worker {worker} has other versions ({other}): install the same"
                " requirements.lock there"
            )
        if confined and unconfined:
            raise UsageError(
                f"the worker {worker} cannot confine submissions ({unconfined}): run"
                " `autograder doctor` on it for details, or grade unprotected with --no-confine"
            )


class ClusterExecutor(Executor):
    """Runs calls on a cluster; raises GraderError for a failure of the cluster."""

    def __init__(self, client: distributed.Client) -> None:
        self.client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future of fn(*args, **kwargs). Raise GraderError where the cluster was lost."""
        if self.client.status != "running":
            raise GraderError(LOST)
        future: Future[Any] = Future()
        remote = self.client.submit(fn, *args, **kwargs, pure=False, retries=RETRIES)
        remote.add_done_callback(lambda done: settle(future, done))
        return future


def settle(future: Future[Any], done: distributed.Future[Any]) -> None:
    """Set `future` to the result of a call on the cluster, or to the error that it ended with."""
    from distributed import KilledWorker  # optional: the extra `cluster`

    try:
        future.set_result(done.result())
    except (GraderError, LessonError, UsageError) as error:
        future.set_exception(error)
    except CancelledError:
        future.set_exception(GraderError(LOST))
    except KilledWorker as error:
        times = error.allowed_failures + 1
        future.set_exception(
            GraderError(f"{times} workers were lost while they ran it: do they have enough memory?")
        )
    except Exception as error:  # whatever a worker or the network raises: the future must be set
        log.info("a call on the cluster failed", exc_info=error)
        future.set_exception(GraderError(one_line(error)))
