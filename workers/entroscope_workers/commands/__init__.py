"""What the command line and scripts start: a run in the foreground, workers, sweeps, models.

The only room that may wire all others together; nothing imports it but the command line.
"""
