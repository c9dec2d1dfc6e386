"""The Auto tools: each measures the sound first, chooses its settings by a pure function, and applies the plain processing."""
