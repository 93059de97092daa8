"""Child processes: a local Redis, workers that are started again, and what ends with its parent.

Nothing here knows what the children do.
"""
