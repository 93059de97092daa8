"""Readers of weights and configurations on disk, every tensor checked by name and shape.

Nothing here runs what a file contains; the weights that come along lie here too.
"""
