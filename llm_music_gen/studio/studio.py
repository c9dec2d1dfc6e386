"""The one door of the studio: command line, app, job queue, assistant and servers ask `Studio`, and nothing behind it."""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from llm_music_gen.composing.lengths import LengthRange, parse_length
from llm_music_gen.composing.lexicon import mood_words
from llm_music_gen.composing.theme import BuiltInThemeWriter, SongRequest, ThemeWriter
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.machines import Machines
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, SoundError, StudioError, UsageError
from llm_music_gen.library.catalogue import Library
from llm_music_gen.llm.memory import give_memory_back
from llm_music_gen.llm.registry import ModelInfo, built_in_composer, choose_model, find_models
from llm_music_gen.logs import start_logging
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.settings import AudioFormat, Settings, load_settings
from llm_music_gen.sound.long.render import processor_count
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.batch import Outcome, entered
from llm_music_gen.studio.delivery import Finish
from llm_music_gen.studio.doctor import Fact, examine
from llm_music_gen.studio.editing import EditingRoom
from llm_music_gen.studio.files import check_room, copy_out
from llm_music_gen.studio.long.make import LongWorkshop, make_long
from llm_music_gen.studio.long.narration import planned_with_voice, speech_beside, speech_in_work
from llm_music_gen.studio.long.plan import plan_long
from llm_music_gen.studio.long.preview import make_preview
from llm_music_gen.studio.long.unfinished import Order, Unfinished, begin, find_unfinished
from llm_music_gen.studio.long.wish import is_long, long_wish, narration_wish, unfinished_key, wants_kit, wish_like
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.own_music import arrangement_of, draft_from_sheet, lead_sheet_of, played_by
from llm_music_gen.studio.recipe import Recipe, read_recipe
from llm_music_gen.studio.reports import numbered, part_of_whole
from llm_music_gen.studio.request import GenerateRequest, RenderRequest, read_formats, read_frequencies
from llm_music_gen.studio.seeds import new_seed, song_seed
from llm_music_gen.studio.song import Workshop, draft_of, finish_song, make_song, play_as_is, prompts_text
from llm_music_gen.studio.song_versions import SongVersions
from llm_music_gen.studio.soundfont_facts import soundfont_facts
from llm_music_gen.studio.theme_model import imagined_by
from llm_music_gen.studio.versions import differences
from llm_music_gen.studio.writer_model import WriterModel, names_server, server_of, server_writer
from llm_music_gen.styles import load_styles
from llm_music_gen.tuning.retune import tune_to

_log = logging.getLogger(__name__)
#: Share of planning in the making of a long track.
PLAN_SHARE = 0.05


class Studio:
    """A studio with its folders and settings. Use it as a context manager: leaving it frees the loaded model.

    Songs are made by generators of `Progress`. Beside the stages of `studio.song` they yield "finished" with the song, and
    "failed" with the sentence that says why; both carry `detail["song_number"]`. To stop consuming is to cancel: what is not
    finished leaves nothing behind, and finished songs stay.
    """

    def __init__(self, paths: StudioPaths, settings: Settings, theme_writer: ThemeWriter | None = None) -> None:
        self.paths = paths
        self.settings = settings
        self.library = Library(paths.database_file, paths.songs_dir, paths.data_dir / "trash")
        self._theme_writer = theme_writer
        self._writers: dict[Path, WriterModel] = {}
        self._remarks: tuple[str, ...] = ()
        self.machines: Machines | None = None
        """Other computers that render; without them this one does."""

    @staticmethod
    def open() -> Studio:
        """The user's studio. Raises SettingsError for a settings file that cannot be used."""
        paths = studio_paths()
        settings = load_settings(paths.settings_file)
        start_logging(paths.logs_dir, settings.log_level)
        return Studio(paths, settings)

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the loaded models."""
        while self._writers:
            self._writers.popitem()[1].close()

    def do_without_models(self, request: GenerateRequest) -> None:
        """Make songs from now on with what is built in, because a model that the request or the settings name kills its process.

        Nothing changes where none is named.
        """
        named = [request.model or self.settings.model, request.theme_model or self.settings.theme_model]
        names = [Path(name).name for name in dict.fromkeys(named) if name and not names_server(name)]
        if names:
            self._theme_writer = BuiltInThemeWriter()
            self._remarks = (f"{' and '.join(names)} crashed while writing; the built-in composer wrote the song.",)

    def generate(self, request: GenerateRequest, *, finished_titles: Sequence[str] = ()) -> Work[Sequence[Outcome]]:
        """Make songs, one after the other; one that fails does not stop the next.

        `finished_titles` are the songs of the same batch that ended before an interruption ("" for a failed one): with the same
        seed the rest comes out as if nothing had happened. Raises StudioError before the first song when none can be made: no
        model, no soundfont, no room.
        """
        seed = new_seed() if request.seed is None else request.seed
        key = Key.parse(request.key) if request.key else None
        frequencies = read_frequencies(request.frequency or self.settings.frequency)
        tuning = tune_to(frequencies[0] if frequencies else None, key)
        workshop = replace(
            self._imagining(request),
            tuning=tuning,
            stems=request.stems,
            system="just" if request.intonation == "just" else "equal",
        )
        wish = self._wish(request)
        length = wish.length
        if request.stems and is_long(request, length, frequencies):
            raise UsageError("Long tracks have no stems.", hint="Leave --stems out, or make a song of some minutes.")
        output_dir = self._output_dir(request.output_dir, length, is_long(request, length, frequencies))
        outcomes: list[Outcome] = []
        first = len(finished_titles) + 1
        place = {"song_number": first, "songs": request.songs, "whole": 0.0}
        yield Progress("theme", 0.0, workshop.writer.now, place)
        workshop.writer.make_ready()  # a model that cannot be loaded fails the batch, not each of its songs
        for number in range(first, request.songs + 1):
            taken = (*finished_titles, *(outcome.song.title for outcome in outcomes if outcome.song))
            own_seed, own_wish = song_seed(seed, number - 1), replace(wish, taken_titles=taken)
            if is_long(request, length, frequencies):
                work = self._long(request, own_wish, own_seed, workshop, output_dir)
            else:
                work = make_song(own_wish, own_seed, _now(), workshop)
            outcomes.append((yield from self._one(work, number, request.songs, output_dir)))
        return outcomes

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Long tracks that were begun and are not finished, the oldest first."""
        return tuple(find_unfinished(self.paths.unfinished_dir))

    def resume(self, work: Unfinished, *, anyway: bool = False) -> Work[Sequence[Outcome]]:
        """Go on with a long track. With `anyway` one whose soundfont or engine has changed is rendered anew.

        Raises StudioError when it cannot go on; what is rendered stays.
        """
        order = work.order()
        shop = self._long_workshop(order.soundfont)
        target = Path(order.output_dir) if order.output_dir else None
        return [(yield from self._one(make_long(work, shop, anyway=anyway), order.song_number, order.songs, target))]

    def preview(self, request: GenerateRequest) -> Work[Path]:
        """A minute out of a long track: samples from along it, as an MP3. The same seed makes the same track later.

        Raises StudioError.
        """
        if request.seed is None:
            raise UsageError("A preview needs the seed of the track.", hint="Give a seed; the track is made with the same.")
        workshop = self._imagining(request)
        plan = yield from plan_long(
            self._wish(request), long_wish(request, self.settings.frequency), request.seed, _now(), workshop
        )
        recipe = plan.recipe
        folder = Path(request.output_dir).expanduser() if request.output_dir else self.paths.data_dir / "previews"
        return (yield from make_preview(recipe, workshop.styles, workshop.soundfont.path, folder))

    def remake(
        self,
        recipe_path: Path,
        *,
        formats: str | None = None,
        output_dir: str | None = None,
        soundfont: str | None = None,
        anyway: bool = False,
    ) -> Work[Sequence[Outcome]]:
        """Make a song again from its recipe: the same bytes with the same versions, soundfont and kind of processor.

        Where they are others, the song is refused, or with `anyway` made as it sounds here. Raises UsageError for what is no
        recipe, LibraryError for another soundfont, SoundError for a computer that renders differently.
        """
        recipe = read_recipe(recipe_path)
        workshop = self._workshop(read_formats(formats) if formats else recipe.formats, "", soundfont or "")
        if workshop.soundfont_facts.sha256 != recipe.soundfont.sha256 and not anyway:
            raise LibraryError(
                f"This song was made with the soundfont {recipe.soundfont.name}, and {workshop.soundfont.path.name} is another.",
                hint="Give the same file with --soundfont, or take another sound with --anyway.",
            )
        if recipe.render_fingerprint not in ("", workshop.soundfont_facts.fingerprint) and not anyway:
            raise SoundError(
                f"This computer renders differently from the one that made the song ({differences(recipe.versions)}).",
                hint="Make it nevertheless with --anyway; it may differ in single samples.",
            )
        target = Path(output_dir).expanduser() if output_dir else None
        if recipe.long is not None:
            speech = speech_beside(recipe, recipe_path)
            return [(yield from self._one(self._long_again(recipe, workshop, speech, anyway=anyway), 1, 1, target))]
        finish = replace(workshop.finish, loudness_lufs=recipe.loudness_lufs, mp3_kbps=recipe.mp3_kbps)
        draft = draft_of(recipe, workshop.styles)
        return [(yield from self._one(finish_song(draft, replace(workshop, finish=finish)), 1, 1, target))]

    def render_file(self, request: RenderRequest) -> Work[Sequence[Outcome]]:
        """Play the user's own ABC or MIDI file. With styles the band plays its tune, and the song enters the library; without,
        it is played as it is and the audio is put beside the file (or where `output_dir` says).

        Raises NotationError, UsageError or StorageError for a file that cannot be played.
        """
        workshop = replace(self._workshop(request.formats, "", request.soundfont), stems=request.stems)
        if request.styles:
            sheet = lead_sheet_of(request.file, request.tempo_bpm)
            seed = new_seed() if request.seed is None else request.seed
            draft = draft_from_sheet(request.file, sheet, request.styles, workshop.styles, seed=seed, created=_now())
            target = Path(request.output_dir).expanduser() if request.output_dir else None
            return [(yield from self._one(finish_song(draft, workshop), 1, 1, target))]
        arrangement = played_by(arrangement_of(request.file, request.tempo_bpm), request.instruments)
        folder = Path(request.output_dir).expanduser() if request.output_dir else request.file.resolve().parent
        work = play_as_is(arrangement, _now(), request.file, folder, workshop)
        return [(yield from self._one(work, 1, 1, None, filed=False))]

    def editing(self) -> EditingRoom:
        """Changes to finished songs of the library, their history and undo."""
        paths = self.paths
        versions = SongVersions(paths.data_dir / "versions", self.library, paths.songs_dir)
        return EditingRoom(
            self.library, versions, lambda: load_styles(paths.styles_dir),
            lambda recipe: self._workshop(recipe.formats, "", ""), paths.cache_dir / "parts", _now,
        )  # fmt: skip

    def request_like(self, song: Song) -> GenerateRequest:
        """A request for another one of the same kind: styles, metre, about the length, frequency, layers, as calm."""
        low_s, high_s = max(10, song.length_s * 0.85), min(24 * 3600, song.length_s * 1.15)
        try:
            wish = wish_like(read_recipe(song.folder))
        except StudioError as error:  # its files are gone: what the library knows is enough
            _log.warning("%s has no recipe that can be read: %s", song.title, error)
            wish = {}
        return GenerateRequest(styles=song.styles, length=f"{low_s:.0f}s-{high_s:.0f}s", meter=song.meter, **wish)

    def words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The styles and the mood words that are understood."""
        return tuple(load_styles(self.paths.styles_dir)), tuple(sorted(mood_words()))

    def models(self) -> Sequence[ModelInfo]:
        """The language models on this computer, the built-in one first."""
        named = (self.settings.model, self.settings.theme_model)
        chosen = [Path(name).expanduser() for name in named if name and not names_server(name)]
        return find_models(self.paths.models_dir, settings_paths=chosen)

    def model(self, name: str) -> ModelInfo:
        """One model by a path or an unmistakable part of its name. Raises ModelError."""
        return choose_model(name, self.models())

    def doctor(self) -> tuple[Fact, ...]:
        """What is there and what is missing."""
        return examine(self.paths, self.settings)

    def _one(self, work: Work[Song], number: int, songs: int, output_dir: Path | None, *, filed: bool = True) -> Work[Outcome]:
        """Follow the making of one song, enter it in the library and copy it out."""
        place = {"song_number": number, "songs": songs}
        try:
            song = yield from numbered(work, place)
            if filed:
                song = entered(song, self.library)
            if output_dir is not None:
                song = replace(song, files=copy_out(song.files, output_dir, safe_name(song.title)), folder=output_dir)
        except StudioError as error:
            _log.warning("song %d of %d failed: %s", number, songs, error)
            yield Progress("failed", 1.0, str(error), place)
            return Outcome(error=str(error))
        yield Progress("finished", 1.0, f'"{song.title}" is ready', {**place, "song": song})
        return Outcome(song=song)

    def _imagining(self, request: GenerateRequest) -> Workshop:
        """A workshop with whoever imagines the themes. Raises StudioError for a model or server that cannot."""
        workshop = self._workshop(request.formats, request.model, request.soundfont, request.server)
        if self._theme_writer is not None:
            return workshop
        # What the command names stands above what the settings name.
        name = request.theme_model or ("" if request.server else self.settings.theme_model)
        on_server = names_server(name)
        server = (
            server_writer(name, self.settings, request.server).server if on_server else server_of(self.settings, request.server)
        )
        model = self._writer(name) if name and not on_server else None
        return replace(workshop, theme_writer=imagined_by(model, server, workshop.writer))

    def _workshop(self, formats: Sequence[AudioFormat], model: str, soundfont: str, server: str = "") -> Workshop:
        settings = self.settings
        wanted = str(built_in_composer()) if self._remarks else model or settings.model
        font = find_soundfont(soundfont or settings.soundfont, self.paths.soundfonts_dir)
        return Workshop(
            songs_dir=self.paths.songs_dir,
            styles=load_styles(self.paths.styles_dir),
            theme_writer=self._theme_writer or BuiltInThemeWriter(),
            writer=server_writer(wanted, settings, server) if names_server(wanted) else self._writer(wanted),
            temperature=settings.temperature,
            keep_prompts=settings.keep_prompts,
            remarks=self._remarks,
            soundfont=font,
            soundfont_facts=soundfont_facts(font, self.paths.cache_dir),
            finish=Finish(tuple(formats) or settings.formats, settings.loudness_lufs, settings.mp3_kbps),
        )

    def _writer(self, model: str) -> WriterModel:
        """The model that writes, kept loaded between songs and batches. Its file is looked at, but not loaded, here."""
        chosen = WriterModel.choose(model, self.settings, self.paths.models_dir)
        return self._writers.setdefault(chosen.path, chosen)

    def _wish(self, request: GenerateRequest) -> SongRequest:
        return SongRequest(
            words=request.styles,
            length=parse_length(request.length or self.settings.song_length),
            key=Key.parse(request.key) if request.key else None,
            tempo_bpm=request.tempo_bpm,
            meter=Meter.parse(request.meter) if request.meter else None,
            instruments=request.instruments,
            without=request.without,
            title=request.title,
        )

    def _long(
        self, request: GenerateRequest, wish: SongRequest, seed: int, workshop: Workshop, output_dir: Path | None
    ) -> Work[Song]:
        """Plan a long track unless that is done, then make it. The same request and seed go on where they were stopped."""
        work = Unfinished(self.paths.unfinished_dir / unfinished_key(request, seed))
        if not work.recipe_path.is_file():
            wanted = long_wish(request, self.settings.frequency)
            with speech_in_work(self.paths.unfinished_dir, work.key) as speech:
                plan = planned_with_voice(
                    narration_wish(request), wish, wanted, lambda own: plan_long(own, wanted, seed, _now(), workshop), speech,
                    self.paths,
                )  # fmt: skip
                planned = yield from part_of_whole(plan, 0.0, PLAN_SHARE)
                order = Order(str(workshop.soundfont.path), str(output_dir or ""), wants_kit(request, planned.recipe))
                prompts = prompts_text(planned.exchanges) if workshop.keep_prompts else ""
                work = begin(self.paths.unfinished_dir, work.key, planned.recipe, order, prompts, speech)
        self.close()  # no model is needed any more, and rendering takes hours
        give_memory_back()
        making = make_long(work, self._long_workshop(str(workshop.soundfont.path)))
        return (yield from part_of_whole(making, PLAN_SHARE, 1.0))

    def _long_again(self, recipe: Recipe, workshop: Workshop, speech: Path | None, *, anyway: bool) -> Work[Song]:
        """Make a long track again from its recipe; interrupted, it is resumed like any other."""
        plan = recipe.model_copy(update={"measured": None, "formats": workshop.finish.formats})
        key = f"again-{plan.identity[:12]}"
        work = Unfinished(self.paths.unfinished_dir / key)
        if not work.recipe_path.is_file():
            work = begin(self.paths.unfinished_dir, key, plan, Order(str(workshop.soundfont.path), again=True), speech=speech)
        shop = self._long_workshop(str(workshop.soundfont.path))
        return (yield from make_long(work, shop, anyway=anyway))

    def _long_workshop(self, soundfont: str) -> LongWorkshop:
        font = find_soundfont(soundfont or self.settings.soundfont, self.paths.soundfonts_dir)
        facts = soundfont_facts(font, self.paths.cache_dir)
        styles = load_styles(self.paths.styles_dir)
        return LongWorkshop(
            self.paths.songs_dir, styles, self.paths.styles_dir, font.path, facts, processor_count(), self.machines
        )

    def _output_dir(self, asked: str, length: LengthRange, long: bool = False) -> Path | None:
        wanted = asked or self.settings.output_dir
        if not wanted:
            return None
        folder = Path(wanted).expanduser()
        if not long:  # a long track counts its own need, more exactly
            check_room(folder, length.min_frames)
        return folder


def _now() -> str:
    """The date that goes into recipe and tags; SOURCE_DATE_EPOCH fixes it, as in reproducible builds."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = (
        datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
        if epoch.isdigit()
        else datetime.datetime.now(datetime.timezone.utc)
    )
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
