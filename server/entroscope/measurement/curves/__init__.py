"""From records to curves: moments, the fold, errors, windows, checks, studies, the result document.

Everything here is a function of a plan and of what batches have published. Nothing is sampled.
"""
