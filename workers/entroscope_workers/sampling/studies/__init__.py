"""Control in time along a batch: commitment, branching, switched labels.

Copies of trajectories have a noise of their own, so that the curves are those of a run without
studies, to the bit.
"""
