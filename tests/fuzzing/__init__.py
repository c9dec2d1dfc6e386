"""Coverage-guided fuzzing of everything that reads other people's text and files.

`targets.py` holds one small function for each reader. `python -m tests.fuzzing abc --minutes 10` looks for input that breaks it
(Linux, needs `pip install atheris`); `test_corpus.py` replays what was found worth keeping on every computer, without atheris.
"""
