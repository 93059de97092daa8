"""From a spec to what is done: labels, prior, decisions, noise levels, batches, price, and rules.

`resolve` builds the one plan of a spec, and the rules are asked after it is built. Nothing here
knows a result.
"""
