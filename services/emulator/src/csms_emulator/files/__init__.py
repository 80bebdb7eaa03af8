"""Stations as files describe them: `station.toml`, and the folders of the reference system."""
