"""Which words about sound are meant, and which only say where a sound is or of what: "the tape is hissing"."""

from __future__ import annotations

from llm_music_gen.requests.clauses import Clause
from llm_music_gen.requests.words import Hit, SoundWord, vocabulary

CLEANING = frozenset(("denoise", "dehum", "declick", "highpass", "deess"))


def without_circumstances(clause: Clause, at_fault: bool) -> list[Hit[SoundWord]]:
    """The words that are meant, without those that only say where or of what: "the tape is hissing", "boomy in that room"."""
    grammar = vocabulary("grammar")
    faults = at_fault or any(hit.value.kind == "fault" for hit in clause.hits)
    cleaning = at_fault or any(hit.value.call in CLEANING and hit.value.kind == "fault" for hit in clause.hits)
    space = any(hit.value.call == "reverb" and hit.value.kind == "wish" for hit in clause.hits)
    kept = []
    for hit in clause.hits:
        following = clause.tokens[hit.end].text if hit.end < len(clause.tokens) else ""
        before = clause.tokens[hit.start - 1].text if hit.start else ""
        if hit.value.call in ("tempo", "eq", "gain", "compress", "loop") and following in grammar["belongs_to_next"].get(
            hit.text, ()
        ):
            continue
        if (
            faults
            and hit.value.kind != "fault"
            and hit.text in grammar["origins"]
            and not {"add", "more", "like", "give"} & {before, clause.tokens[0].text}
        ):
            continue
        if (cleaning or space) and hit.value.call == "gain" and hit.text in ("soft", "soften", "softer", "quieten", "lower"):
            continue
        if hit.text in ("soft", "soften") and following in ("them", "those") and len(clause.hits) == 1:
            continue
        if hit.text in ("wet", "dry") and hit.start and clause.tokens[hit.start - 1].unit == "percent":
            continue  # "30 % wet": of the effect that is named
        if hit.text == "loop" and before in ("this", "the", "my", "that"):
            continue  # what the file is
        if cleaning and hit.value.kind == "picture" and hit.value.calls[0]["tool"] == "auto_noise_reduction":
            continue
        kept.append(hit)
    return kept
