"""Tracks of hours: a list of segments, each a pure function of the track and its number, kept until the file is finished."""
