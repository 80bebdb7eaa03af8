"""The benchmark: the systems under test, the stations that load them, and the bars they are held to."""
