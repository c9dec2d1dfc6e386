"""The demanding signal processing behind the tools: streams in, streams out, no tool names and no settings of their own."""
