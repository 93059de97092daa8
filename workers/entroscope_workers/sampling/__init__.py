"""One batch of one run: chains down the noise levels, posteriors, quantities, and the runner.

A generator of payloads: progress, cancelling and streaming are to consume it. It knows no
transport, no run id and no other batch, and every number belongs to its trajectory.
"""
