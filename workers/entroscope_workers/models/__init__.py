"""What denoises: the contract (base.py), adapters to it, networks, and readers of checkpoints.

All conventions other than x = x0 + sigma n end here. A model knows no run, no posterior and no
queue.
"""
