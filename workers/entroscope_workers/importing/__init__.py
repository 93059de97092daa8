"""Files of others made into ours: NVIDIA's pickles, and downloads that a user asks for by name.

Nothing of a file is imported, called or evaluated. No other room is needed here, and none but the
commands may use it.
"""
