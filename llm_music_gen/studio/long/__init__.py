"""Tracks of hours: planned first with all that models write, then rendered segment by segment, and resumed at any moment."""
