"""Asks the operator's endpoint on behalf of charging stations, and delivers later what it could not take."""
