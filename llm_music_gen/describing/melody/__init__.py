"""The ear for melodies: one voice, sung, hummed, whistled or played -> its notes -> bars. Nothing here knows ABC or MIDI."""
