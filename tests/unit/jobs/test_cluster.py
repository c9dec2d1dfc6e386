"""A cluster's address, and what is said when nobody or somebody else is there."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator

import pytest

from llm_music_gen.errors import ClusterError, DependencyMissing, UsageError
from llm_music_gen.jobs import cluster
from llm_music_gen.jobs.cluster import check_address, open_cluster


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tls://farm.example:8786", "tcp://[::1]:8786", "tcp://host:1/"])
def test_addresses_of_schedulers_are_taken(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "farm", "farm:8786", "http://farm:8786", "tcp://farm", "tcp://:8786", "tcp://farm:99999", "tcp://farm:x", "tcp://f:1/x",
     "inproc://x:1", "tcp://[::1", "tcp://farm:0"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_sentence(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a cluster"), open_cluster(address):
        pass


def test_without_dask_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyMissing, match=r"llm-music-gen\[cluster\]"), open_cluster("tcp://127.0.0.1:8786"):
        pass


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that is something else: it answers everything with a page."""
    monkeypatch.setattr(cluster, "_CONNECT_S", 1.0)
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason='the extra "cluster" is not installed')


@needs_dask
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_stranger_at_the_address_is_one_sentence(scheme: str, stranger: str) -> None:
    with pytest.raises(ClusterError) as caught, open_cluster(f"{scheme}://{stranger}"):
        pass
    assert "\n" not in str(caught.value)
    assert ("needs certificates" if scheme == "tls" else "No cluster can be reached") in str(caught.value)


@needs_dask
def test_nobody_at_the_address_is_one_sentence_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"tcp://127.0.0.1:{port}", "tcp://no-such-host.invalid:8786"):
        with pytest.raises(ClusterError, match="No cluster can be reached at") as caught, open_cluster(address):
            pass
        assert "\n" not in str(caught.value)
