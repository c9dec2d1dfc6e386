"""Models on which llama.cpp itself dies: the studio lives, says one sentence, and the next job runs."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.domain.job import JobContext, JobState
from llm_music_gen.errors import ModelCrashed
from llm_music_gen.jobs.worker import Worker
from llm_music_gen.llm.trial import try_model
from llm_music_gen.paths import studio_paths
from llm_music_gen.studio.handlers import HANDLERS
from llm_music_gen.studio.lost_processes import LostProcesses
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.work_queue import WORKER_COMMAND, open_queue, queue_files
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model


@pytest.fixture
def deadly(tmp_path: Path) -> Path:
    """A GGUF with more experts in use than there are: llama.cpp aborts the process that loads it."""
    experts = {"llama.expert_count": 4, "llama.expert_used_count": 8}
    return write_model(tmp_path / "deadly.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32, metadata=experts))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_process_that_tries_it_dies_and_this_one_does_not(deadly: Path) -> None:
    with pytest.raises(ModelCrashed, match=r"llama\.cpp crashed while it loaded deadly\.gguf"):
        try_model(deadly, threads=1)


def test_the_command_line_says_one_sentence(deadly: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "Folk", "--length", "10s", "--model", str(deadly), "--json"]) != 0
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("llama.cpp crashed while it loaded deadly.gguf") == 1
    assert "Traceback" not in said.err and "GGML" not in said.err


def test_its_job_fails_in_one_sentence_and_the_next_one_runs(deadly: Path) -> None:
    paths = studio_paths()
    with closing(open_queue(paths, may_work=False)) as queue:
        request = GenerateRequest.from_words("folk", length="10s", seed=4, formats="wav", model=str(deadly))
        queue.submit("generate", "folk", request.to_dict())
        queue.submit("resume", "nothing", {"key": "none"})
        assert Worker(queue_files(paths), WORKER_COMMAND, idle_s=0.1).run()
        first, second = sorted(queue.jobs(), key=lambda job: job.position)
    assert first.state is JobState.FAILED and "crashed while it loaded deadly.gguf" in first.error and first.attempts == 1
    assert second.state is JobState.FAILED and "no unfinished track" in second.error


def test_processes_that_die_while_a_model_writes_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "writing.txt"
    for before in (0, 1):
        lost = LostProcesses(file)
        assert (lost.before, lost.enough) == (before, False)
        lost.reached("theme")
        lost.reached("tune")  # and here the process dies
    assert LostProcesses(file).enough
    LostProcesses(file).over()
    assert LostProcesses(file).enough, "a bad model stays known for this job"


def test_a_process_that_gets_past_the_writing_clears_the_model(tmp_path: Path) -> None:
    file = tmp_path / "writing.txt"
    for _ in range(3):
        lost = LostProcesses(file)
        for stage in ("theme", "tune", "arrangement", "sound"):
            lost.reached(stage)
    assert not LostProcesses(file).before and not file.exists()


def test_after_two_such_deaths_the_built_in_composer_writes_and_says_so(tmp_path: Path) -> None:
    own = write_model(tmp_path / "own.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32))
    context = JobContext(tmp_path / "job", lambda: False)
    context.job_dir.mkdir()
    (context.job_dir / "writing.txt").write_text("2", encoding="ascii")
    request = GenerateRequest.from_words("folk", length="10s", seed=4, formats="wav", model=str(own))
    work = HANDLERS["generate"](request.to_dict(), context)
    while True:
        try:
            json.dumps(next(work).detail)
        except StopIteration as stop:
            [song] = stop.value["songs"]
            break
    assert song["model"] == "composer.built-in.gguf"
    assert song["hints"] == ["own.gguf crashed while writing; the built-in composer wrote the song."]
