"""Other doors to the studio: the app in a browser (`web`)."""
