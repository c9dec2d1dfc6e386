"""The nouns of the studio as frozen records. Knows nothing of files, engines or screens."""
