"""An existing Dask cluster as `Machines`: the only module that imports Dask, and only when a cluster was named.

Nothing listens here: this side connects to the scheduler, and results come back through it, so that the workers need to be
reachable from the scheduler alone. Dask carries out whatever its scheduler sends, so a cluster belongs into a trusted network.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from typing import Any
from urllib.parse import urlsplit

from llm_music_gen.errors import ClusterError, DependencyMissing, UsageError

_log = logging.getLogger(__name__)
_CONNECT_S = 10.0
_ANSWER_S = 20.0
_HOW = 'Start one with "dask scheduler" and give its address: --cluster tcp://192.168.0.10:8786'


@contextlib.contextmanager
def open_cluster(address: str) -> Iterator[DaskMachines]:
    """The cluster whose scheduler is at `address` (tcp://host:port, or tls://host:port with certificates in Dask's own settings).

    Raises UsageError for what is no address, DependencyMissing without Dask, ClusterError where no scheduler answers.
    """
    check_address(address)
    if importlib.util.find_spec("distributed") is None:
        raise DependencyMissing("A cluster needs Dask.", hint='Install it: pip install "llm-music-gen[cluster]"')
    _ask_who_is_there(address)
    machines = DaskMachines(address)
    try:
        yield machines
    finally:
        machines.close()


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler. Raises UsageError."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and parts.path in ("", "/")
    except ValueError:
        whole = False
    if not whole:
        raise UsageError(f"{address!r} is no address of a cluster.", hint=_HOW)


class DaskMachines:
    """See `domain.machines.Machines`."""

    def __init__(self, address: str) -> None:
        from distributed import Client

        self._address = address
        self._executors: dict[str, Executor] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other versions of Dask itself; whoever renders is checked more strictly
                self._client = Client(address, timeout=_CONNECT_S, set_as_default=False, name="llm-music-gen")
        except (OSError, ValueError, TypeError) as error:
            raise _unreachable(address, error) from error
        _quiet()

    def workers(self) -> Mapping[str, int]:
        """See `Machines`."""
        try:
            found = self._client.sync(self._client.scheduler.ncores, callback_timeout=_ANSWER_S)
        except (OSError, RuntimeError, TimeoutError, asyncio.TimeoutError, ValueError) as error:
            raise ClusterError(
                f"The cluster's scheduler at {self._address} no longer answers.",
                hint="Start it again; what has come back is kept, and the same command goes on from there.",
            ) from error
        return {str(worker): int(threads) for worker, threads in found.items()}

    def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """See `Machines`."""
        if worker not in self._executors:
            self._executors[worker] = self._client.get_executor(
                workers=[worker], allow_other_workers=False, pure=False, retries=0
            )
        try:
            return self._executors[worker].submit(function, *arguments)
        except (OSError, RuntimeError) as error:
            raise ClusterError(f"The cluster at {self._address} takes no more work ({error}).", hint="Try it again.") from error

    def close(self) -> None:
        """See `Machines`."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError, asyncio.TimeoutError):
            self._client.close(timeout=2.0)


def _ask_who_is_there(address: str) -> None:
    """Whether a scheduler answers; asked before a client is made, which would try for long and complain on its own."""
    from distributed.comm import connect
    from distributed.security import Security

    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_CONNECT_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise _unreachable(address, error) from error

    async def ask() -> str:
        comm = await connect(address, timeout=_CONNECT_S, **Security().get_connection_args("client"))
        try:
            await comm.write({"op": "identity", "reply": True})
            answer = await comm.read()
            return str(answer.get("type", "")) if isinstance(answer, dict) else ""
        finally:
            comm.abort()

    _quiet()
    try:
        kind = asyncio.run(asyncio.wait_for(ask(), 2 * _CONNECT_S))
    except TypeError as error:  # what Dask says to tls:// without certificates
        raise ClusterError(
            f"{address} needs certificates, and Dask's settings name none.",
            hint="Set distributed.comm.tls.ca-file and client.cert and key there, as on the scheduler.",
        ) from error
    except (OSError, asyncio.TimeoutError) as error:
        raise _unreachable(address, error) from error
    except Exception as error:  # what a stranger answers is read as lengths and messages, and goes wrong in any way
        _log.warning("no scheduler at %s", address, exc_info=True)
        raise _unreachable(address, OSError("what answers there is no scheduler")) from error
    if kind != "Scheduler":
        raise ClusterError(f"At {address} is no scheduler of a Dask cluster, but a {kind or 'stranger'}.", hint=_HOW)


def _unreachable(address: str, error: BaseException) -> ClusterError:
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0] if str(error) else "no answer"
    return ClusterError(f"No cluster can be reached at {address} ({reason}).", hint=_HOW)


class _IntoOurLog(logging.Handler):
    """Hands what Dask says on to the studio's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if _log.isEnabledFor(record.levelno):
            _log.handle(record)


def _quiet() -> None:
    """Dask prints what it notices, such as every lost worker; the screen belongs to the studio, which keeps it in its log."""
    for name in ("distributed", "distributed.client", "tornado", "tornado.application"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.addHandler(_IntoOurLog(logging.WARNING))
        logger.propagate = False
