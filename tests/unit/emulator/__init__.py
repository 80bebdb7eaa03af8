"""Unit tests of the emulator: no loop, no sleep."""
