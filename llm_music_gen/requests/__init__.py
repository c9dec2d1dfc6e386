"""From plain language to tool calls, without any model: vocabulary and rules are data, numbers carry their units."""

from llm_music_gen.requests.planner import plan_request
from llm_music_gen.requests.situation import Situation

__all__ = ["Situation", "plan_request"]
