"""Gaussian mixtures in closed form: their params, independent factors, and quadrature.

The ground truth of everything else, so it may use nothing of it: no plan, no curve.
"""
