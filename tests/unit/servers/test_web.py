"""The app in a browser: the page it gives out, who may drive it, and the app itself through its socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer, unused_port

from llm_music_gen.errors import UsageError
from llm_music_gen.servers.web import HOST, allowed_origins, make_server, serve_app


@pytest.fixture
async def served() -> AsyncIterator[tuple[int, aiohttp.ClientSession]]:
    port = unused_port()
    made = make_server(port)
    server = TestServer(await made._make_app(), host=HOST, port=port)
    await server.start_server()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:  # cookies of a bare address too
        async with session.get(f"http://{HOST}:{port}/?key={made.key}") as answer:
            assert answer.status == 200 and "key" not in answer.url.query
        yield port, session
    await server.close()


async def test_the_page_has_a_title_and_fetches_nothing_from_elsewhere(served: tuple[int, aiohttp.ClientSession]) -> None:
    port, session = served
    async with session.get(f"http://{HOST}:{port}/") as answer:
        page = await answer.text()
    assert "<title>Llm-Music-Gen</title>" in page
    addresses = re.findall(r"(?:https?|wss?)://([^/\"']+)", page)
    assert set(addresses) == {f"{HOST}:{port}"}


@pytest.mark.parametrize("path", ["/", "/?key=wrong", "/ws?width=80&height=24", "/static/js/textual.js", "/download/x"])
async def test_without_the_key_nothing_is_given_out(served: tuple[int, aiohttp.ClientSession], path: str) -> None:
    port, _ = served
    origin = {"Origin": allowed_origins(port)[0]}
    async with aiohttp.ClientSession() as stranger, stranger.get(f"http://{HOST}:{port}{path}", headers=origin) as answer:
        assert answer.status == 403
        assert "with its key" in await answer.text()


async def test_a_name_that_points_to_this_computer_is_not_this_computer(served: tuple[int, aiohttp.ClientSession]) -> None:
    port, session = served
    async with session.get(f"http://{HOST}:{port}/", headers={"Host": f"evil.example:{port}"}) as answer:
        assert answer.status == 403


async def test_its_cookie_is_for_this_page_alone(served: tuple[int, aiohttp.ClientSession]) -> None:
    port, session = served
    [cookie] = session.cookie_jar
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie.key == f"llm-music-gen-{port}"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", ""])
async def test_another_web_site_cannot_drive_the_app(served: tuple[int, aiohttp.ClientSession], origin: str) -> None:
    port, session = served
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(f"ws://{HOST}:{port}/ws", headers={"Origin": origin})
    assert refused.value.status == 403


async def test_the_app_answers_keys_through_the_socket(served: tuple[int, aiohttp.ClientSession]) -> None:
    port, session = served
    address = f"ws://{HOST}:{port}/ws?width=80&height=24"
    async with session.ws_connect(address, headers={"Origin": allowed_origins(port)[0]}, max_msg_size=0) as socket:
        await wait_for(socket, "Main Menu")
        await socket.send_str(json.dumps(["stdin", "2"]))
        await wait_for(socket, "Output Jukebox")
        for _ in range(60):  # a screen that is still being drawn may not hear the key
            if socket.closed:
                break
            await socket.send_str(json.dumps(["stdin", "x"]))
            with suppress(asyncio.TimeoutError):
                while not socket.closed:
                    await socket.receive(timeout=1)
        assert socket.closed, "the app does not end"


async def wait_for(socket: Any, words: str) -> None:
    seen = ""
    while words not in seen:
        message = await socket.receive(timeout=60)
        assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
        seen += message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else message.data


@pytest.mark.parametrize("port", [0, -1, 70_000])
def test_an_impossible_port_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="is no port"):
        serve_app(port)
