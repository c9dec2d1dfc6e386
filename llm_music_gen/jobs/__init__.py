"""The queue: work that goes on behind the screens and survives whatever happens to them.

Everyone submits through one inbox table (`queue.JobQueue`). One worker process (`worker.Worker`) holds the lock, alone writes
job rows, and runs each job in a child process of its own (`child`), so that a crash in native code costs one job.
"""
