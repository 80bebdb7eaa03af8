"""The command: any one service, or all of them in one process."""
