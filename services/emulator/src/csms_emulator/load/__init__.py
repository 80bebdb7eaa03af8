"""Load generation: many stations that cost as little as Python allows, and what the central system made of them.

`drive` runs a load: its processes (`worker`), each with a `crowd` of stations that are dialled at the ramp's rate, and
from when all are there call at a `pace`. They say what their profile's `scripts` say; `wire` and `station` are what one
costs. `sample` and `histogram` hold what was seen, `progress`, `report` and `page` show it.
"""
