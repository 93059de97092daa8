"""The kinds of params that a model may have, one file each: what they decide, and what they cost.

A kind is one function, `bind`, that checks the params of a run and returns a `Bound`. A model names
its kind in `ModelInfo.params_kind`; without one its params are checked by the JSON Schema that it
announces (plain.py). Nothing here knows a plan, a curve's key, or a model by name.
"""
