"""The OCPP central system: any one service, or all of them in one process"""
