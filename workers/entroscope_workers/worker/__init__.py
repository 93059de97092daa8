"""A worker process: takes batches, renews its lease, publishes what they yield, stops when told.

It knows Redis and the clock; it knows no physics, and a batch knows nothing of it.
"""
