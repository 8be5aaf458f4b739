"""Grading on a Dask cluster: its executor runs notebooks as this machine's threads would.

Nothing is shared but what is sent: the notebook, the files beside it and the limits. Each worker
starts its own server of kernels; a notebook whose worker is lost is run again by another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autograder.errors import LessonError, UsageError, one_line
from autograder.execution.execute import kernel_server
from autograder.versions import versions

if TYPE_CHECKING:
    import distributed

RETRIES = 2  # of a notebook that a worker could not run, on whichever worker is free then
LOST = "the scheduler of the cluster was lost: call again when it is back"


@contextmanager
def cluster(
    address: str, preload: Iterable[str], confined: bool = True
) -> Iterator[tuple[Executor, int]]:
    """An executor on the cluster at `address`, and how many notebooks it runs at a time.

    Each worker's server warms up at once. Raises UsageError where there is no such cluster, or
    where one of its workers would not grade as this machine does.
    """
    try:
        from distributed import Client  # optional: the extra `cluster`
        from distributed.comm.addressing import resolve_address  # optional: the extra `cluster`
    except ImportError:
        raise UsageError("--scheduler needs Dask: pip install 'cnn-course[cluster]'") from None
    try:
        resolve_address(address)  # a client with an impossible address takes long to end
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"no scheduler of Dask at {address}: {one_line(error)}") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise UsageError(f"the cluster at {address} has no workers")
        check_workers(client.run(warm_up, sorted(preload), on_error="return"), confined)
        yield ClusterExecutor(client), threads


def warm_up(preload: list[str]) -> tuple[str, str]:
    """Start the server of kernels of a worker: its versions, and why it confines no kernel."""
    return versions(), kernel_server(preload).confinement_error()


def check_workers(answers: Mapping[str, Any], confined: bool) -> None:
    """UsageError unless each worker grades as this machine would; `answers` are of warm_up()."""
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            raise UsageError(f"the worker {worker} cannot grade: {one_line(answer)}")
        found, unconfined = answer
        if found != versions():
            other = ", ".join(sorted({*found.split()} - {*versions().split()}))
            raise UsageError(
                f"the worker {worker} has other versions ({other}): install the same"
                " requirements.lock there"
            )
        if confined and unconfined:
            raise UsageError(
                f"the worker {worker} cannot confine submissions ({unconfined}):"
                " `autograder doctor` says more there, --no-confine grades all the same"
            )


class ClusterExecutor(Executor):
    """Runs calls on a cluster. What the cluster does wrong is a LessonError, and says so."""

    def __init__(self, client: distributed.Client) -> None:
        self.client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """What fn(*args, **kwargs) will give. LessonError where nobody is left to ask."""
        if self.client.status != "running":
            raise LessonError(LOST)
        future: Future[Any] = Future()
        remote = self.client.submit(fn, *args, **kwargs, pure=False, retries=RETRIES)
        remote.add_done_callback(lambda done: settle(future, done))
        return future


def settle(future: Future[Any], done: distributed.Future[Any]) -> None:
    """Give `future` the result of a call on the cluster, or the reason why there is none."""
    from distributed import KilledWorker  # optional: the extra `cluster`

    try:
        future.set_result(done.result())
    except (LessonError, UsageError) as error:
        future.set_exception(error)
    except CancelledError:
        future.set_exception(LessonError(LOST))
    except KilledWorker as error:
        times = error.allowed_failures + 1
        future.set_exception(
            LessonError(f"{times} workers were lost while they ran it: have they enough memory?")
        )
    except Exception as error:  # whatever else happens to workers
        future.set_exception(LessonError(one_line(error)))
