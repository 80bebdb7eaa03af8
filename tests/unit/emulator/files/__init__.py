"""Stations as files describe them."""
