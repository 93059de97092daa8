"""From networks of any convention to a denoiser: preconditioning, noise grids, labels, latents.

Shared by families; nothing here is a model that could be offered.
"""
