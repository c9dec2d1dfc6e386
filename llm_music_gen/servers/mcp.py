"""The studio's tools for other assistants, over the Model Context Protocol: on standard input and output, or on 127.0.0.1.

What takes long becomes a job of the queue: the call waits a little, tells how it gets on, and then gives the job's id. Finished
files are given as links, never as bytes. Only folders that the user opens, and the studio's own songs, can be reached.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_music_gen import __version__
from llm_music_gen.assistant.assistant import Assistant, Proposal
from llm_music_gen.assistant.catalogue import CATALOGUE
from llm_music_gen.assistant.queued import submit
from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import StorageError, StudioError, UsageError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import load_settings
from llm_music_gen.studio.studio import Studio
from llm_music_gen.studio.work_queue import open_queue
from llm_music_gen.tools.plan import Call

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp_types import CallToolResult, Tool

HOST = "127.0.0.1"
CONVERSATION = "mcp"
#: How long a call waits for its job before it gives the job's id.
WAIT_S = 20.0
_LOOK_EVERY_S = 0.25
_INSTRUCTIONS = (
    "A music studio on this computer. Songs, tracks at exact frequencies, audio files changed by tools. Work that takes "
    'long gives a job id: ask the tool "job" with it. Results are files on this computer, given as links.'
)
_MIME = {
    ".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".opus": "audio/ogg", ".ogg": "audio/ogg",
    ".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png", ".txt": "text/plain", ".abc": "text/vnd.abc",
}  # fmt: skip
#: Reports (done, message) while a call waits.
Tell = Callable[[float, str], Awaitable[None]]


class ToolDesk:
    """Carries out calls from outside: what is quick at once, the rest through the queue."""

    def __init__(self, paths: StudioPaths, roots: Sequence[Path], *, wait_s: float = WAIT_S) -> None:
        self._paths = paths
        self._roots = tuple(roots)
        self._wait_s = wait_s

    async def call(self, name: str, arguments: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
        """The answer as JSON. Raises StudioError for what cannot be done."""
        call = CATALOGUE.checked(Call(name, dict(arguments)))
        proposal = Proposal("", (call,), "")
        if not proposal.takes_long:
            return await asyncio.to_thread(self._at_once, proposal)
        uid = await asyncio.to_thread(self._queued, proposal)
        return await self._followed(uid, tell)

    def _at_once(self, proposal: Proposal) -> dict[str, Any]:
        with Studio(self._paths, load_settings(self._paths.settings_file)) as studio:
            (answer,) = finish(Assistant(studio, CONVERSATION, roots=self._roots).carry_out(proposal))
        if answer.failed:
            raise StudioError(answer.text)
        return answer.as_json()

    def _queued(self, proposal: Proposal) -> str:
        with closing(open_queue(self._paths)) as queue:
            return submit(queue, proposal, CONVERSATION, self._roots)

    async def _followed(self, uid: str, tell: Tell) -> dict[str, Any]:
        """Wait for a job, but not for long."""
        with closing(open_queue(self._paths)) as queue:
            deadline = asyncio.get_running_loop().time() + self._wait_s
            told = -1.0
            while True:
                job = await asyncio.to_thread(_looked_at, queue, uid)
                if job.state.is_over or job.state is JobState.INTERRUPTED:
                    return _result(job)
                if job.fraction > told:
                    told = job.fraction
                    await tell(told, job.message)
                if asyncio.get_running_loop().time() > deadline:
                    said = f'It goes on as job {uid} ({round(job.fraction * 100)} %). Ask the tool "job" with this id.'
                    return {"tool": "job", "text": said, "data": {"id": uid, "fraction": job.fraction}}
                await asyncio.sleep(_LOOK_EVERY_S)


def _looked_at(queue: JobQueue, uid: str) -> Job:
    queue.ensure_worker()
    return queue.job(uid)


def _result(job: Job) -> dict[str, Any]:
    """What a finished job answered. Raises StudioError where it failed."""
    if job.state is not JobState.DONE:
        raise StudioError(job.error or f"The job is {job.state.value}.")
    answer: dict[str, Any] = job.result["answers"][0]
    if answer.get("failed"):
        raise StudioError(str(answer["text"]))
    return answer


def make_server(desk: ToolDesk) -> Server[Any]:
    """The MCP server, not yet running. Raises DependencyMissing without the SDK."""
    from mcp.server import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent

    async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=tools())

    async def call_tool(context: Any, params: Any) -> CallToolResult:
        async def tell(done: float, message: str) -> None:
            await context.session.report_progress(done, 1.0, message)

        try:
            return _told(await desk.call(params.name, params.arguments or {}, tell))
        except StudioError as error:
            return CallToolResult(content=[TextContent(text=str(error))], is_error=True)

    return Server(
        "llm-music-gen", version=__version__, title="Llm-Music-Gen", instructions=_INSTRUCTIONS, on_list_tools=list_tools,
        on_call_tool=call_tool,
    )  # fmt: skip


def tools() -> list[Tool]:
    """Every tool with its schema; those that change nothing are marked."""
    from mcp_types import Tool, ToolAnnotations

    return [
        Tool(
            name=spec.name, description=spec.description, input_schema=spec.json_schema(),
            annotations=ToolAnnotations(
                read_only_hint=spec.reads_only, destructive_hint=False, idempotent_hint=spec.reads_only, open_world_hint=False
            ),
        )
        for spec in CATALOGUE
    ]  # fmt: skip


def _told(answer: Mapping[str, Any]) -> CallToolResult:
    """An answer as MCP has it: words, links to files, and the facts."""
    from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent

    content: list[ContentBlock] = [TextContent(text=str(answer["text"]))]
    for name in answer.get("files", ()):
        path = Path(name)
        content.append(ResourceLink(name=path.name, uri=path.resolve().as_uri(), mime_type=_MIME.get(path.suffix.lower())))
    return CallToolResult(content=content, structured_content=json.loads(json.dumps(dict(answer), default=str)))


def serve_stdio(desk: ToolDesk) -> int:
    """Serve one client on standard input and output until it goes."""
    from mcp.server.stdio import stdio_server

    server = make_server(desk)

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(serve())
    return 0


def serve_http(desk: ToolDesk, port: int, token: str = "") -> int:
    """Serve on 127.0.0.1 until Ctrl-C. Raises UsageError for an impossible port, StorageError for one that is taken."""
    import uvicorn

    if not 1 <= port <= 65_535:
        raise UsageError(f"{port} is no port.", hint="Give a number from 1024 to 65535.")
    token = token or secrets.token_urlsafe(24)
    print(f"Llm-Music-Gen: The tools are at http://{HOST}:{port}/mcp. Ctrl-C ends it.", flush=True)
    print(f'Llm-Music-Gen: Clients send the header "Authorization: Bearer {token}".', flush=True)
    try:
        uvicorn.run(http_app(desk, token), host=HOST, port=port, log_level="warning")
    except SystemExit as error:  # how uvicorn says that it could not start
        raise StorageError(f"Port {port} cannot be used.", hint="Give another with --port.") from error
    return 0


def http_app(desk: ToolDesk, token: str) -> Any:
    """The ASGI app: MCP's own checks of host and origin, and a token in front of everything."""
    app = make_server(desk).streamable_http_app(host=HOST)

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not _has_token(scope, token):
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"This server wants the token that it printed when it started."})
            return
        await app(scope, receive, send)

    return guarded


def _has_token(scope: Mapping[str, Any], token: str) -> bool:
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return hmac.compare_digest(given, f"Bearer {token}".encode())
