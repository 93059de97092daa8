"""The Python client: a narrow transport, handles on runs and sweeps, results and figures.

It speaks the wire only and can be used where neither server nor workers are installed; nothing
here imports the server's other rooms but `measurement` and `protocol`.
"""
