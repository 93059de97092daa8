"""Redis: the queue of batches, the event logs, live runs, heartbeats and keys, in transactions.

Server and workers meet here and nowhere else. Every change is atomic, and may be repeated. Nothing
here knows HTTP or the disk, or what a number means.
"""
