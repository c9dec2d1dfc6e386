"""Describing: what a sound is like, in facts, words and pictures. docs/guide/describing.md tells what is measured and how."""
