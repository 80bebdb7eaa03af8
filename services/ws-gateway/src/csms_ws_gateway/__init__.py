"""Holds the WebSockets of OCPP-J charging stations"""
