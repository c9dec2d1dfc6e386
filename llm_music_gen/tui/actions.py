"""Everything that can be done with a key, once: keys, footer, command palette and help are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding

EVERYWHERE = "Everywhere"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do."""

    keys: tuple[str, ...]
    """As Textual names them; single letters act in either case."""
    name: str
    """Of the method `action_<name>`, with its arguments."""
    label: str
    """In the footer."""
    help: str
    """One sentence for the palette and the help."""
    in_footer: bool = False
    shown: str = ""
    """How the key is written, where its name is not plain."""

    @property
    def key_text(self) -> str:
        """The keys as people read them."""
        return self.shown or " ".join(key.upper() if len(key) == 1 else key for key in self.keys)

    def binding(self) -> Binding:
        """For Textual."""
        keys = [variant for key in self.keys for variant in ((key, key.upper()) if key.isalpha() and len(key) == 1 else (key,))]
        return Binding(",".join(keys), self.name, self.label, show=self.in_footer, key_display=self.key_text)


_BACK = Action(("b",), "back", "Back", "Go back to the main menu.", True)

ACTIONS: dict[str, tuple[Action, ...]] = {
    EVERYWHERE: (
        Action(("x",), "exit", "Exit", "Leave the program; it asks what happens to work that goes on.", True),
        Action(("f1", "question_mark"), "help", "Help", "Show what every key does.", True, "?"),
        Action(("ctrl+p",), "command_palette", "Palette", "Find anything by typing.", False, "Ctrl+P"),
        Action(("f2",), "play_pause", "Play/Pause", "Play or pause, whatever screen is open.", False, "F2"),
        Action(("f3",), "next_song", "Next song", "The next song, whatever screen is open.", False, "F3"),
        Action(("f4",), "go('jobs')", "Jobs", "What is queued, running and done.", False, "F4"),
        Action(("f5",), "go('songs')", "Songs", "Every song of the library.", False, "F5"),
    ),
    "main": (
        Action(("1",), "go('generate')", "Generate", "Generate music.", False),
        Action(("2",), "go('jukebox')", "Jukebox", "Output jukebox.", False),
        Action(("3",), "go('configuration')", "Configure", "Configure options.", False),
        Action(("l",), "length", "Length", "Set the song length: 5, 4-6, 8:00, 30s.", True),
        Action(("f",), "frequency", "Frequency", "Set the frequency of the tonic: 528, A4=432, om.", True),
        Action(("y",), "layers", "Layers", "What lies under the music: beats, noise, rain, surf, wind.", False),
        Action(("u",), "unfinished", "Unfinished", "Go on with tracks of hours that were interrupted.", False),
        Action(("n",), "night", "Night", "Calm enough to sleep to, or not.", False),
        Action(("j",), "go('jobs')", "Jobs", "What is queued, running and done.", True),
        Action(("s",), "go('songs')", "Songs", "Every song of the library.", True),
        Action(("p",), "go('processing')", "Process", "Change audio files by request: warmer, louder, without the hiss.", True),
        Action(("a",), "go('assistant')", "Ask", "Say in plain English what shall happen.", True),
        Action(("d",), "go('describing')", "Describe", "Say what a sound is like: in words, facts and pictures.", False),
        Action(("r",), "refresh_screen", "Refresh", "Look at songs and models again.", False),
    ),
    "generate": (
        _BACK,
        Action(("c",), "cancel_now", "Cancel", "Stop the songs in work now.", True),
        Action(("a",), "cancel_after", "After this song", "Stop after the song in work.", True),
        Action(("p",), "hold", "Pause", "Hold the work, or go on with it.", True),
        Action(("n",), "new", "New", "Ask for more songs.", True),
        Action(("j",), "go('jobs')", "Jobs", "What is queued, running and done.", True),
    ),
    "jukebox": (
        _BACK,
        Action(("space",), "play_pause", "Play", "Play or pause.", True, "Space"),
        Action(("n",), "next_song", "Next", "The next song.", True),
        Action(("p",), "previous", "Prev", "The song before, or the beginning of this one.", False),
        Action(("s",), "stop", "Stop", "Stop playing.", True),
        Action(("left",), "seek(-5)", "-5 s", "Back by five seconds.", False, "Left"),
        Action(("right",), "seek(5)", "+5 s", "Forward by five seconds.", False, "Right"),
        Action(("comma",), "seek(-60)", "-1 min", "Back by a minute.", False, ","),
        Action(("full_stop",), "seek(60)", "+1 min", "Forward by a minute.", False, "."),
        *(
            Action((str(tenth),), f"jump_to({tenth})", f"{tenth}0 %", f"Jump to {tenth}0 % of the song.", False)
            for tenth in range(10)
        ),
        Action(("plus", "equals_sign"), "louder(5)", "Louder", "Louder by five percent.", False, "+"),
        Action(("minus",), "louder(-5)", "Quieter", "Quieter by five percent.", False, "-"),
        Action(("m",), "mute", "Mute", "Silence, or sound again.", False),
        Action(("h",), "shuffle", "Shuffle", "Play what remains in random order, or in order again.", True),
        Action(("r",), "repeat", "Repeat", "Repeat all songs, one song, or none.", True),
        Action(("enter",), "play_selected", "Play this", "Play the marked song of the queue.", False, "Enter"),
        Action(("k",), "move(-1)", "Move up", "Move the marked song up the queue.", False),
        Action(("j",), "move(1)", "Move down", "Move the marked song down the queue.", False),
        Action(("delete",), "remove", "Remove", "Take the marked song out of the queue.", False, "Del"),
        Action(("u",), "undo", "Undo", "Undo the last removal or deletion.", False),
        Action(("slash",), "search", "Search", "Find a song in the queue.", False, "/"),
        Action(("f",), "favourite", "Favourite", "Mark this song as a favourite, or unmark it.", False),
        Action(("l",), "more_like", "More like this", "Make another song of the same kind.", False),
        Action(("e",), "change_song", "Change", "Change this song by request (calmer, in D minor, drums out), or undo.", False),
        Action(("d",), "delete_song", "Skip and delete", "Skip this song and move it to the trash (asks first).", False),
        Action(("g",), "open_folder", "Open folder", "Show this song's folder.", False),
        Action(("i",), "info", "Song info", "All that is known about this song.", False),
        Action(("y",), "copy_path", "Copy path", "Copy the place of this song's file.", False),
        Action(("z",), "sleep", "Sleep timer", "Fade out and stop after 15, 30, 45, 60 or 90 minutes.", False),
        Action(("c",), "crossfade", "Crossfade", "Overlap songs by 0, 3, 6 or 12 seconds.", False),
        Action(("v",), "spectrum", "Spectrum", "Show or hide the spectrum.", False),
        Action(("a",), "device", "Audio device", "Choose where the sound comes out.", False),
        Action(("w",), "fill", "Whole library", "Put the whole library into the queue.", False),
    ),
    "configuration": (
        _BACK,
        *(
            Action((str(number),), f"change({number})", f"Option {number}", f"Change option {number}.", False)
            for number in range(1, 7)
        ),
        Action(("enter",), "change_marked", "Change", "Change the marked option.", True, "Enter"),
        Action(("d",), "default", "Default", "Put the marked option back to its default.", True),
        Action(("g",), "go('models')", "Get models", "Models, soundfonts and voices that can be had.", True),
    ),
    "models": (
        _BACK,
        Action(("enter", "g"), "get", "Get", "Fetch the marked thing; it goes on in the background.", True, "Enter"),
        Action(("o",), "other", "Other", "Fetch any GGUF file of the Hugging Face hub.", True),
        Action(("l",), "link", "Link", "Show the link and the folder, for a browser.", True),
        Action(("j",), "go('jobs')", "Jobs", "What is queued, running and done.", True),
    ),
    "jobs": (
        _BACK,
        Action(("p",), "pause", "Pause", "Hold the marked job, or go on with it.", True),
        Action(("c",), "cancel_now", "Cancel", "Stop the marked job now.", True),
        Action(("a",), "cancel_after", "After song", "Stop the marked job after the song in work.", True),
        Action(("r",), "retry", "Retry", "Try the marked job again, or resume it.", True),
        Action(("k",), "move(-1)", "Up", "Move the marked job up the queue.", False),
        Action(("j",), "move(1)", "Down", "Move the marked job down the queue.", False),
        Action(("delete",), "remove", "Remove", "Forget the marked job; its songs stay.", False, "Del"),
        Action(("w",), "when_done", "When done", "What happens when all is done: nothing, play, sleep or shut down.", True),
        Action(("g",), "open_log", "Log", "Show the log of the marked job.", False),
    ),
    "assistant": (
        _BACK,
        Action(("r",), "request", "Request", "Say something.", True),
        Action(("o",), "open", "Open file", "Choose the audio file that it is about.", True),
        Action(("t",), "talk", "Talk", "Listen to what you say; again when you have said it.", True),
        Action(("c",), "stop", "Stop", "Stop what is being done; what is finished is kept.", True),
        Action(("u",), "undo", "Undo", "Take back what was done last.", True),
    ),
    "describing": (
        _BACK,
        Action(("f",), "file", "File", "Name another file.", True),
        Action(("v",), "view", "Picture", "The next picture: spectrogram, loudness, circumplex.", True),
        Action(("p",), "save", "Save pictures", "Write all pictures beside the file.", True),
    ),
    "processing": (
        _BACK,
        Action(("f",), "files", "Files", "Name other files, or another request.", True),
        Action(("r",), "run", "Run", "Carry the plan out; originals stay as they are.", True),
        Action(("q",), "queue", "Queue", "Carry the plan out behind the screens, which suits many files.", True),
        Action(("e",), "edit", "Edit", "Change the numbers of the marked step.", True),
        Action(("delete",), "remove", "Remove", "Take the marked step out of the plan.", False, "Del"),
        Action(("a",), "compare", "Hear", "Hear before and after in turn, equally loud.", True),
        Action(("k",), "keep", "Keep", "Go on with the results.", True),
        Action(("u",), "undo", "Undo", "Make the version before current again; nothing is deleted.", True),
    ),
    "songs": (
        _BACK,
        Action(("enter",), "play_here", "Play", "Play the songs shown, beginning with the marked one.", True, "Enter"),
        Action(("e",), "enqueue", "Enqueue", "Put the marked song at the end of the queue.", True),
        Action(("slash",), "search", "Search", "Show only songs that hold what you type.", True, "/"),
        Action(("f",), "favourite", "Favourite", "Mark the song as a favourite, or unmark it.", False),
        Action(("l",), "more_like", "Similar", "Make another song of the same kind.", True),
        Action(
            ("c",), "change_song", "Change", "Change the marked song by request (calmer, in D minor, drums out), or undo.", True
        ),
        Action(("d",), "delete_song", "Delete", "Move the marked song to the trash (asks first).", True),
        Action(("u",), "undo", "Undo", "Bring back the song that was deleted last.", False),
        Action(("g",), "open_folder", "Folder", "Show the marked song's folder.", False),
        Action(("r",), "rescan", "Rescan", "Look through the songs' folder again.", False),
    ),
}


#: On every screen; dialogs have an Esc of their own.
LEAVE_FIELD = Action(
    ("escape",),
    "leave_field",
    "Leave",
    "Stop typing in a field, so that the letters act again; without one, go back.",
    False,
    "Esc",
)


def bindings(place: str) -> list[Binding]:
    """The keys of a screen, or of the whole app."""
    return [action.binding() for action in ACTIONS[place]]
