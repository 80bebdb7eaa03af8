"""The whole system from outside: its processes, its port, foreign charging stations. Nothing of it is imported."""
