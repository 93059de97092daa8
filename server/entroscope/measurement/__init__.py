"""What a run means and what came of it, in numpy: the plan of a spec, and curves out of records.

Pure functions of values: no Redis, no HTTP, no torch, no clock. Server and workers share it, so
that both read the same spec and fold the same records to the same numbers.
"""
