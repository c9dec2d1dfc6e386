"""What can be heard in a recording: SoundSCaper's 15 events and 3 scenes, by a small model that ships or a user's own.

model = shipped_model()                      # or user_model(path)
found = summary(recognise(blocks, 44_100, model), model)
"""

from llm_music_gen.describing.events.labels import CHILDREN, LABELS, SCENES, with_parents
from llm_music_gen.describing.events.model import EventModel, SoundscapeEvents, Span, Window
from llm_music_gen.describing.events.recognise import recognise, summary
from llm_music_gen.describing.events.shipped import shipped_model
from llm_music_gen.describing.events.user_model import user_model

__all__ = [
    "CHILDREN",
    "LABELS",
    "SCENES",
    "EventModel",
    "SoundscapeEvents",
    "Span",
    "Window",
    "recognise",
    "shipped_model",
    "summary",
    "user_model",
    "with_parents",
]
