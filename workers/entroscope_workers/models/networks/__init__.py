"""Network architectures that no package has: what checkpoints of a family hold, in torch."""
