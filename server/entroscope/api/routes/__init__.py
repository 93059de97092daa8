"""The routes, one file for each noun; three to eight lines each.

Lookups and their 404s are dependencies (deps.py); errors become problem JSON in problems.py. No
route touches Redis or the disk itself.
"""
