"""The REST API: commands, records, events."""
