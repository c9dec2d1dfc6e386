"""Covers and thumbnails: right size, readable words, the same bytes for the same seed, and drawn from the song."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.publishing.colour import contrast, lab_to_linear, palette, tonic_hue
from llm_music_gen.publishing.cover import COVER_SIDE, cover
from llm_music_gen.publishing.lettering import CONTRAST, writable
from llm_music_gen.publishing.picture import kind_of
from llm_music_gen.publishing.scenes import profile_of
from llm_music_gen.publishing.thumbnail import THUMBNAIL_BYTES, jpeg, thumbnail
from llm_music_gen.publishing.upload import Upload

RISING = tuple(float(value) for value in range(100))
SONGS = {
    "mandala": Upload("Still Water", 28_800, ("ambient",), frequency_hz=528.0, seed=1),
    "moon": Upload("Night", 28_800, ("sleep",), seed=2),
    "waves": Upload("Valley", 200, ("folk",), seed=3, loudness_curve=RISING),
    "ridges": Upload("Circuit", 3_600, ("techno",), seed=4),
}


@pytest.mark.parametrize("kind", SONGS)
def test_every_kind_of_song_gets_a_readable_cover(kind: str) -> None:
    song = SONGS[kind]
    assert kind_of(song) == kind
    picture, reached = cover(song, 200)
    assert (picture.size, picture.mode) == ((200, 200), "RGB")
    assert reached >= CONTRAST
    assert np.asarray(picture).std() > 20


@pytest.mark.parametrize("kind", SONGS)
def test_a_thumbnail_is_readable_and_leaves_the_corner_to_the_clock(kind: str) -> None:
    picture, reached = thumbnail(SONGS[kind], 180)
    assert picture.size == (320, 180)
    assert reached >= CONTRAST
    # Letters are nearly white; the site's clock covers 180x60 of 1280x720. Ridges' and waves' light stays out of it too.
    corner = np.asarray(picture.convert("L"))[165:, 275:]
    assert corner.max() < 215


def test_the_same_song_gives_the_same_bytes_and_another_seed_others() -> None:
    song = SONGS["waves"]
    assert jpeg(cover(song, 120)[0]) == jpeg(cover(song, 120)[0])
    other = Upload("Valley", 200, ("folk",), seed=8, loudness_curve=RISING)
    assert jpeg(cover(song, 120)[0]) != jpeg(cover(other, 120)[0])


def test_the_picture_follows_the_loudness_and_the_tonic() -> None:
    falling = Upload("Valley", 200, ("folk",), seed=3, loudness_curve=RISING[::-1])
    assert jpeg(cover(SONGS["waves"], 120)[0]) != jpeg(cover(falling, 120)[0])
    low, high = (Upload("x", 60, frequency_hz=hz) for hz in (432.0, 639.0))
    assert jpeg(cover(low, 120)[0]) != jpeg(cover(high, 120)[0])


@pytest.mark.parametrize("curve", [(), (float("-inf"),) * 9, (1.0,) * 9, RISING])
def test_any_loudness_curve_becomes_a_profile(curve: tuple[float, ...]) -> None:
    profile = profile_of(curve)
    assert profile.shape == (256,)
    assert profile.min() >= 0.0 and profile.max() <= 1.0 + 1e-9


def test_titles_that_the_font_cannot_write_do_no_harm() -> None:
    assert writable("Café Ångström") in ("Café Ångström", "Cafe Angstrom")
    assert writable("夜") == ""
    for song in (Upload("夜の海", 200, ("folk",)), Upload("W" * 300, 28_800, ("techno",)), Upload("", 5)):
        assert cover(song, 100)[1] >= CONTRAST
        assert thumbnail(song, 90)[1] >= CONTRAST


def test_colours_come_out_as_the_standard_says() -> None:
    # Ottosson: white is (1, 0, 0), red is (0.628, 0.225, 0.126).
    assert lab_to_linear(np.array((1.0, 0.0, 0.0))) == pytest.approx((1.0, 1.0, 1.0), abs=1e-3)
    assert lab_to_linear(np.array((0.62796, 0.22486, 0.12585))) == pytest.approx((1.0, 0.0, 0.0), abs=2e-3)
    assert contrast(1.0, 0.0) == pytest.approx(21.0)
    assert tonic_hue(264.0) == pytest.approx(tonic_hue(528.0))
    low, high = palette("meditation", 396.0), palette("meditation", 792.0)
    assert np.array(low.sky) == pytest.approx(np.array(high.sky))


@pytest.mark.heavy
def test_full_size_cover_and_thumbnail_keep_the_rules() -> None:
    song = SONGS["moon"]
    picture, reached = cover(song)
    assert picture.size == (COVER_SIDE, COVER_SIDE) and reached >= CONTRAST
    small, reached = thumbnail(song)
    assert small.size == (1_280, 720) and reached >= CONTRAST
    assert len(jpeg(small, THUMBNAIL_BYTES)) < THUMBNAIL_BYTES
