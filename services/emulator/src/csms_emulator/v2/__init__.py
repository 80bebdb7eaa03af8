"""Stations that speak OCPP 2.0.1 and 2.1: EVSEs, transaction events and a device model, without I/O."""
