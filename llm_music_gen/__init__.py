"""Llm-Music-Gen: a local, offline music studio for the terminal."""

__version__ = "0.1.0"
