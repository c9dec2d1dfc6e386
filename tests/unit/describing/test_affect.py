"""The projection of ISO 12913-3 on worked examples, and estimates that say how sure they are."""

from __future__ import annotations

import pytest

from llm_music_gen.describing.affect import AXIS_BAND, QUALITIES, RATING_BAND, Affect, estimate, project, quadrant


@pytest.mark.parametrize(
    ("answers", "pleasant", "eventful"), [((4, 3, 2, 1, 5, 3, 4, 2), -0.03, -0.28), ((2, 5, 4, 3, 1, 2, 3, 5), 0.47, 0.18)]
)
def test_worked_examples_of_soundscapy_are_reproduced(answers: tuple[int, ...], pleasant: float, eventful: float) -> None:
    found = project(dict(zip(QUALITIES, answers, strict=True)))
    assert found == pytest.approx((pleasant, eventful), abs=0.005)


def test_the_projection_is_the_formula_of_the_standard() -> None:
    p, v, e, ch, a, m, u, ca = 5, 2, 1, 4, 2, 3, 5, 1
    cos45 = 0.5**0.5
    pleasant = ((p - a) + cos45 * (ca - ch) + cos45 * (v - m)) / (4 + 32**0.5)
    eventful = ((e - u) + cos45 * (ch - ca) + cos45 * (v - m)) / (4 + 32**0.5)
    assert project(dict(zip(QUALITIES, (p, v, e, ch, a, m, u, ca), strict=True))) == pytest.approx((pleasant, eventful))


def test_the_corners_have_their_names() -> None:
    named = [quadrant(0.4, 0.4), quadrant(0.4, -0.4), quadrant(-0.4, 0.4), quadrant(-0.4, -0.4), quadrant(0.05, 0.0)]
    assert named == ["vibrant", "calm", "chaotic", "monotonous", "neutral"]


def guess(n5_sone: float, **events: float) -> Affect:
    return estimate(
        n5_sone=n5_sone, sharpness_acum=1.3, roughness_asper=0.05, range_db=6, onsets_per_s=0.3,
        events={name.replace("_", " "): sure for name, sure in events.items()},
    )  # fmt: skip


def test_birds_are_pleasanter_than_traffic_and_people_make_eventful() -> None:
    assert guess(8, Bird=0.9).pleasantness > guess(8).pleasantness > guess(8, Traffic=0.9).pleasantness
    assert guess(8, Human_sounds=0.9).eventfulness > guess(8).eventfulness > guess(8, Silence=0.9).eventfulness
    assert guess(60).pleasantness < guess(8).pleasantness < guess(1).pleasantness


def test_ratings_stay_on_the_scale_and_project_to_the_estimate() -> None:
    for affect in (guess(0.1), guess(300, Traffic=1.0), guess(10, Music=1.0, Human_sounds=1.0)):
        assert all(1 <= rating <= 5 for rating in affect.ratings.values())
        assert (affect.pleasantness, affect.eventfulness) == pytest.approx(project(affect.ratings))
        assert affect.as_json()["rating_band"] == RATING_BAND and affect.as_json()["axis_band"] == AXIS_BAND
        assert "not validated" in str(affect.as_json()["note"])
