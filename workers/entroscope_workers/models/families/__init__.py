"""The families of models, one file each; every file here is found by its name.

A family answers `load_entry(entry, device)` or, with weights of its own, `load(device)`. A new
family is a new file, and changes none.
"""
