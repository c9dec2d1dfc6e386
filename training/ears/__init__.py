"""Trains the event model of describing/: sounds that are synthesised here, mixed into scenes. See train.py."""
