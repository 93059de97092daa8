"""Gaussian mixtures in closed form: params, independent factors, quadrature, speciation.

The ground truth of everything else, so it may use nothing of it: no plan, no curve.
"""
