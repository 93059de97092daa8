"""From the log of a run to what its viewers see, and the fan-out to any number of them.

One thread follows the logs; a viewer is a cursor. Nothing here owns a run or changes one, and no
slow viewer may hold up another.
"""
