"""The emulator over HTTP, under `/emulator`: what stations there are, what they say, and all that is done to them.

`service.py` serves it, `routes.py` says what there is, `register.py` knows the stations. Nothing here decides what a
station does: requests become deeds, troubles and calls of its link.
"""
