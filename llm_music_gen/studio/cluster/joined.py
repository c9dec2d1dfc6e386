"""A studio together with a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llm_music_gen.jobs.cluster import open_cluster
from llm_music_gen.studio.studio import Studio


@contextmanager
def joined(studio: Studio, address: str) -> Iterator[Studio]:
    """The studio; inside, the cluster at `address` renders for it. With "" nothing is joined.

    Raises UsageError for what is no address, DependencyMissing without Dask, ClusterError where no scheduler answers.
    """
    if not address:
        yield studio
        return
    with open_cluster(address) as machines:
        studio.machines = machines
        try:
            yield studio
        finally:
            studio.machines = None
