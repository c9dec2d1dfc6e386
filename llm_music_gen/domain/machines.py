"""The port behind which other machines stand: workers with addresses, each of which can be given a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol


class Machines(Protocol):
    """Workers elsewhere. An implementation need not retry, choose or check anything: `jobs.spread` does."""

    def workers(self) -> Mapping[str, int]:
        """The workers that are there this moment: address -> calls that each carries out at a time. Raises ClusterError."""
        ...

    def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Give one worker a call. Function and arguments must be picklable, the result too.

        The future of a worker that is lost may never end, or end as cancelled or with any error. Raises ClusterError.
        """
        ...

    def close(self) -> None:
        """Let go of the workers; what they have in work is lost."""
        ...
