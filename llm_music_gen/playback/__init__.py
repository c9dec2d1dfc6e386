"""Playing: a port for whatever makes sound (`player`), an engine (`miniaudio_player`), and the jukebox that knows no device.

miniaudio is the engine because it streams, can pause and seek, has wheels for every Python on Windows, and brings a null device.
simpleaudio has no Windows wheels for Python 3.9 and later, crashes on 3.12, holds whole files in memory and cannot pause or seek,
so it is not offered.
"""
