"""A tiny composer written as GGUF gives the same probabilities in llama.cpp as in PyTorch, and training goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.abc_reader import read_abc  # noqa: E402
from training.augment import Mix  # noqa: E402
from training.evaluate import load, log_probabilities  # noqa: E402
from training.export import FORMAT_KEY, TEXT_FORMAT, write_gguf  # noqa: E402
from training.model import Composer, Shape  # noqa: E402
from training.tokenizer import CHARACTERS, END, encode  # noqa: E402
from training.train import Recipe, batches, rate, row, train  # noqa: E402

SHAPE = Shape(layers=2, width=64, heads=2, feed_forward=96, context=256)
PROMPT = 'M:4/4\nL:1/8\nK:C\n%chords\nP:A8\n"C"c2ec G2EG|"F"A8|'
TUNE = read_abc("X:1\nM:4/4\nL:1/8\nK:G\nG2BG DGBG|A2cA EAcA|B2dB GBdB|c2Bc A2FA|G2BG DGBG|A2cA EAcA|d2dc BGAF|G4 G4|]")


def composer() -> Composer:
    torch.manual_seed(7)
    made: Composer = Composer(SHAPE).eval()
    return made


@pytest.mark.parametrize(("kind", "tolerance"), [("f16", 0.01), ("q8_0", 0.15)])
def test_llama_cpp_gives_the_probabilities_of_pytorch(tmp_path: Path, kind: str, tolerance: float) -> None:
    pytest.importorskip("llama_cpp")
    model, path = composer(), tmp_path / "tiny.gguf"
    write_gguf(model, path, kind)
    llm = load(path, context=256)
    ids = llm.tokenize(PROMPT.encode(), add_bos=False)
    assert ids == encode(PROMPT)
    with torch.no_grad():
        expected = torch.log_softmax(model(torch.tensor([ids])), dim=-1)[0].numpy()
    assert np.abs(log_probabilities(llm, ids) - expected).max() < tolerance


def test_the_file_names_its_format_and_its_end_token(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    write_gguf(composer(), tmp_path / "tiny.gguf", notes={"llm_music_gen.note": "x"})
    fields = gguf.GGUFReader(tmp_path / "tiny.gguf").fields
    assert fields[FORMAT_KEY].contents() == TEXT_FORMAT
    assert fields["tokenizer.ggml.eos_token_id"].contents() == END
    assert len(fields["tokenizer.ggml.tokens"].contents()) == len(CHARACTERS) + 1
    assert not list(tmp_path.glob("*.part"))


def test_an_unknown_kind_of_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="q4"):
        write_gguf(composer(), tmp_path / "tiny.gguf", "q4")


def test_batches_learn_every_character_after_the_header_once() -> None:
    rows = [row("M:4/4\n", "P:A2\nA8|B8|\n", 256), row("M:3/4\n", "P:A2\nA6|B6|\nP:B2\nc6|d6|\n", 256)]
    learned = [targets[targets >= 0] for _, targets in batches(rows, 1024, np.random.default_rng(0))]
    assert sorted(int(token) for part in learned for token in part) == sorted(
        token for ids, header in rows for token in ids[header:]
    )


def test_the_rate_rises_stays_and_falls() -> None:
    recipe = Recipe(warm_up=0.1, decay=0.4)
    assert [round(rate(progress, recipe), 3) for progress in (0.0, 0.05, 0.3, 0.8, 1.0)] == [0.0, 0.5, 1.0, 0.5, 0.0]


def test_training_lowers_the_loss_and_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    lines: list[str] = []
    plain = Mix(own_key=1.0, remeter=0.0, divide=0.0, join=0.0, folk_harmonised=0.0)
    sizes = {"characters": 6000, "first_batch_characters": 512, "batch_characters": 512}
    recipe = Recipe(shape=SHAPE, mix=plain, late_mix=plain, first_dropout=0.0, **sizes)
    train(recipe, [TUNE], [TUNE], [TUNE], tmp_path, compiled=False, report=lines.append)
    epochs = [float(line.split()[3]) for line in lines if line.startswith("epoch")]
    assert epochs[-1] < 0.7 * epochs[0]
    lines.clear()
    train(recipe, [TUNE], [TUNE], [TUNE], tmp_path, compiled=False, report=lines.append)
    assert len(lines) == 1 and lines[0].startswith("done")
