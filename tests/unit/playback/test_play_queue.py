"""The order of play."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.playback.play_queue import PlayQueue, Repeat
from llm_music_gen.playback.track import Track


def tracks(count: int) -> list[Track]:
    return [Track(Path(f"{number}.mp3"), str(number)) for number in range(count)]


def titles(queue: PlayQueue) -> tuple[list[str], str, list[str]]:
    current = queue.current.title if queue.current else ""
    return [track.title for track in queue.played], current, [track.title for track in queue.remaining]


def test_a_queue_can_begin_in_its_middle() -> None:
    queue = PlayQueue()
    queue.replace(tracks(4), first=2)
    assert titles(queue) == (["0", "1"], "2", ["3"])


def test_shuffle_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    orders = []
    for seed in (1, 1, 2):
        queue = PlayQueue(seed)
        queue.set_shuffle(True)
        queue.replace(tracks(20))
        orders.append(titles(queue)[2])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0], key=int) == [str(number) for number in range(1, 20)]


def test_shuffle_off_puts_what_remains_back_in_order() -> None:
    queue = PlayQueue(3)
    queue.replace(tracks(9))
    queue.set_shuffle(True)
    queue.go_on(by_itself=False)
    queue.set_shuffle(False)
    remaining = titles(queue)[2]
    assert remaining == sorted(remaining, key=int)


def test_a_removed_track_comes_back_where_it_was() -> None:
    queue = PlayQueue()
    queue.replace(tracks(4))
    queue.remove(1)
    assert titles(queue)[2] == ["1", "3"]
    queue.undo_remove()
    assert titles(queue)[2] == ["1", "2", "3"]
    assert queue.undo_remove() is None


def test_moving_stays_within_the_queue() -> None:
    queue = PlayQueue()
    queue.replace(tracks(4))
    assert queue.move(0, 1) == 1
    assert titles(queue)[2] == ["2", "1", "3"]
    assert queue.move(1, 99) == 2
    assert queue.move(2, -99) == 0
    assert queue.move(7, 1) == 7


def test_jumping_counts_what_lies_between_as_played() -> None:
    queue = PlayQueue()
    queue.replace(tracks(4))
    queue.jump(1)
    assert titles(queue) == (["0", "1"], "2", ["3"])


def test_enqueued_tracks_come_last_or_next() -> None:
    queue = PlayQueue()
    queue.replace(tracks(2))
    queue.add([Track(Path("x.mp3"), "last")])
    queue.add([Track(Path("y.mp3"), "next")], next_up=True)
    assert titles(queue)[2] == ["next", "1", "last"]


@given(st.lists(st.sampled_from(["on", "back", "shuffle", "repeat", "jump", "move", "remove", "undo", "peek"]), max_size=40))
def test_no_track_is_lost_or_doubled_whatever_is_pressed(actions: list[str]) -> None:
    queue = PlayQueue(1)
    queue.replace(tracks(5))
    out = 0
    for action in actions:
        if action == "on":
            queue.go_on(by_itself=True)
        elif action == "back":
            queue.go_back()
        elif action == "shuffle":
            queue.set_shuffle(not queue.shuffle)
        elif action == "repeat":
            queue.repeat = queue.repeat.following
        elif action == "jump":
            queue.jump(1)
        elif action == "move":
            queue.move(0, 2)
        elif action == "remove":
            out += queue.remove(0) is not None
        elif action == "undo":
            out -= queue.undo_remove() is not None
        else:
            queue.following()
        played, current, remaining = titles(queue)
        assert len(set(remaining)) == len(remaining)
        everything = set(played) | set(remaining) | ({current} - {""})
        # While the queue begins again the current track also stands among those that come.
        assert 5 - out <= len(everything) <= 5


def test_repeat_steps_off_all_one() -> None:
    assert [Repeat.OFF.following, Repeat.ALL.following, Repeat.ONE.following] == [Repeat.ALL, Repeat.ONE, Repeat.OFF]
