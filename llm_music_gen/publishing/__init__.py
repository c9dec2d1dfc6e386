"""Makes a folder that is ready to upload from plain facts about a finished song: texts, pictures, data, a video if asked."""
