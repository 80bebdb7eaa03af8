"""The OCPP central system: any one of its services, or all of them in one process."""
