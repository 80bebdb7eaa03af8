"""Scenarios: what is done at charging stations, and what is expected to come of it, as files tell it.

`reading` makes values of a file, `perform` plays one, `command` many; `reports` tells how it ended.
"""
