"""Holds the WebSockets of OCPP-J charging stations; asks the router about everything else."""
