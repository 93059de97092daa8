"""From sums to the best estimate: companions, control variates, what is left of every error.

Everything here is linear algebra on sums and samples that batches have published; nothing knows a
run's log, and what a document looks like is decided above.
"""
