"""Networks that no package has, written from the papers; parameter names are those of the files.

No preconditioning, no noise levels, no labels by name: adapters know those.
"""
