"""A reader of pickles that computes nothing: opcodes in, plain data and tensors out.

What a file wants beyond tensors, containers and NVIDIA's one constructor is refused by name.
"""
