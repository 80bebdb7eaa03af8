"""Fixtures of the store contracts; they live in `stores.py`."""

from tests.contract.stores import backend, durable, redis_prefix, stores

__all__ = ["backend", "durable", "redis_prefix", "stores"]
