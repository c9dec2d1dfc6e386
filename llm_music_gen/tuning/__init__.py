"""Frequencies as people ask for them, and the reference pitch that puts a song's tonic exactly there."""
