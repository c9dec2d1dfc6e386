"""From plain language to tool calls, without any model: vocabulary and rules are data, numbers carry their units."""
