"""Which models there are: those that come along, the user's own, and what is known of each.

Offers, entries of models.toml, plug-ins, labelled data, checks and the probe of speed. Nothing
here computes a posterior or talks to Redis.
"""
