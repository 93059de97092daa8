"""Runs as a whole: submitted, listed, archived, compared, swept.

What the API asks about runs is answered here, live runs from `broker` and finished ones from the
archive on disk. Nothing here knows HTTP, and nothing computes a curve.
"""
