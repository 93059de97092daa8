"""How the checkpoint that comes along was made; nothing that runs at measuring time.

Losses, the loop and its record. A trained network leaves here as a file and is read like any other.
"""
