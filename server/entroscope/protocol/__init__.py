"""What goes over the wire: specs, events, frames, models, states and errors. Nothing that computes.

Documents are checked here, and only here, field by field; the rooms above take them as given.
"""
