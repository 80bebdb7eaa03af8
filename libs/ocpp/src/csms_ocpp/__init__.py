"""OCPP as data and pure functions: no I/O, no clock, no logging.

Import from the modules: `version` (dialects), `catalog` (actions), `schemas` (payload validation), `frames` (OCPP-J
messages on the wire) and `session` (one OCPP-J conversation, for either end, with its events).
"""
