"""The emulator against a foreign central system, over loopback."""
