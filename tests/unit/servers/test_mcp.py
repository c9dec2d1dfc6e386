"""The tools over MCP, asked by the SDK's own client: in this process, through pipes, and over HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile
import uvicorn
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ResourceLink, TextContent

from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.servers.mcp import ToolDesk, http_app, make_server


def text_of(answer: CallToolResult) -> str:
    """The words of an answer."""
    (words,) = [block.text for block in answer.content if isinstance(block, TextContent)]
    return words


@pytest.fixture
def paths(studio_home: Path) -> StudioPaths:
    return studio_paths()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "open"
    place.mkdir()
    tone = 0.1 * np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100)
    for path in (place / "tone.wav", tmp_path / "closed.wav"):
        soundfile.write(path, tone.astype(np.float32), 44_100)
    return place


async def test_every_tool_is_offered_with_its_schema_and_readers_are_marked(paths: StudioPaths) -> None:
    async with Client(make_server(ToolDesk(paths, []))) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {"compose", "frequency", "gain", "auto_eq", "job", "library", "undo"} <= set(listed)
    gain = listed["gain"].input_schema["properties"]
    assert gain["db"]["type"] == "number" and gain["files"]["type"] == "array"
    readers = {name for name, tool in listed.items() if tool.annotations and tool.annotations.read_only_hint}
    assert {"show_abc", "analyze", "queue", "history"} <= readers and not readers & {"compose", "gain", "library", "set", "undo"}


async def test_quick_tools_answer_at_once_and_errors_are_one_sentence(paths: StudioPaths) -> None:
    async with Client(make_server(ToolDesk(paths, []))) as client:
        songs = await client.call_tool("library", {"action": "list"})
        assert not songs.is_error and songs.structured_content["data"] == {"count": 0, "songs": []}
        for name, arguments in (
            ("show_abc", {}), ("gain", {"decibels": 3}), ("no_such_tool", {}), ("library", {"action": "burn"}), ("gain", {}),
        ):  # fmt: skip
            refused = await client.call_tool(name, arguments)
            text = text_of(refused)
            assert refused.is_error and "Traceback" not in text and text.endswith((".", "?")), text


async def test_long_work_goes_through_the_queue_with_progress_and_gives_links(paths: StudioPaths, folder: Path) -> None:
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append(progress)

    async with Client(make_server(ToolDesk(paths, [folder], wait_s=60.0))) as client:
        answer = await client.call_tool("gain", {"db": 3.0, "files": [str(folder / "tone.wav")]}, progress_callback=note)
        assert not answer.is_error, answer.content
        (link,) = [block for block in answer.content if isinstance(block, ResourceLink)]
        assert link.uri == (folder / "tone-processed.wav").as_uri() and link.mime_type == "audio/wav"
        assert all(block.type != "audio" for block in answer.content)
        refused = await client.call_tool("gain", {"db": 3.0, "files": [str(folder.parent / "closed.wav")]})
        assert refused.is_error and "may touch" in text_of(refused)
        # Without time to wait the call gives a job, which can be asked about.
    async with Client(make_server(ToolDesk(paths, [folder], wait_s=0.0))) as client:
        begun = await client.call_tool("reverse", {"files": [str(folder / "tone.wav")]})
        uid = begun.structured_content["data"]["id"]
        for _ in range(240):
            job = await client.call_tool("job", {"id": uid})
            if job.structured_content["data"]["state"] == "done":
                break
            await asyncio.sleep(0.25)
        assert job.structured_content["data"]["result"]["answers"][0]["files"] == [str(folder / "tone-processed-2.wav")]
    assert seen == sorted(seen)


async def test_through_pipes_nothing_but_the_protocol_is_on_standard_output(paths: StudioPaths, folder: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "llm_music_gen", "mcp", "--folder", str(folder)], env={**os.environ}
    )
    async with Client(command) as client:
        assert len((await client.list_tools()).tools) > 50
        queue = await client.call_tool("queue", {})
        assert "Nothing is being made" in text_of(queue)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        await task


async def test_over_http_only_with_the_token_and_from_this_computer(paths: StudioPaths) -> None:
    async with served(http_app(ToolDesk(paths, []), "secret")) as url:
        async with httpx2.AsyncClient() as web:
            assert (await web.post(url, json={})).status_code == 401
            assert (await web.post(url, json={}, headers={"Authorization": "Bearer wrong"})).status_code == 401
            good = {"Authorization": "Bearer secret", "Accept": "application/json, text/event-stream"}
            assert (await web.post(url, json={}, headers={**good, "Origin": "http://evil.example"})).status_code == 403
            assert (await web.post(url, json={}, headers={**good, "Host": "evil.example"})).status_code == 421
        async with (
            httpx2.AsyncClient(headers={"Authorization": "Bearer secret"}) as web,
            Client(streamable_http_client(url, http_client=web)) as client,
        ):
            assert not (await client.call_tool("library", {})).is_error
