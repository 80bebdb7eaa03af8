"""Fixtures of the contracts; those of the stores live in `stores.py`, those of the bus and its doors in `doors.py`."""

from tests.contract.doors import broker, durable_spooling, spooling
from tests.contract.stores import backend, durable, redis_prefix, stores

__all__ = ["backend", "broker", "durable", "durable_spooling", "redis_prefix", "spooling", "stores"]
