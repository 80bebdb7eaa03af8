"""Faults on demand at the link of an emulated station: what goes wrong between a sound station and its central system.

The station itself knows nothing of it: a wrong clock, a fault of a connector and a power cycle are `deeds`.
"""
