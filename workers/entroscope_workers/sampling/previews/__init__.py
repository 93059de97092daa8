"""Pictures of the first trajectories: drawn beside the sampling, laid out, encoded.

They change no number: what is sampled for the eye alone enters no curve.
"""
