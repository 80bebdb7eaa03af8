"""A scenario as a module of Python: each of three known cards charges, in an order left to chance.

Proves that cards do not stick to connectors. What YAML writes as keys stands in capitals here.
"""

from csms_emulator.scenarios.stage import Stage

NAME = "Cards in any order"
VERSIONS = ["1.6"]
STATION = {"connectors": 2, "pace": 60}
SEED = 11


async def scenario(stage: Stage) -> None:
    """`stage[1]` is the player of the first station."""
    station = stage[1]

    for card in stage.random.sample(["04AA0001", "04AA0002", "04AA0003"], k=3):
        connector = stage.random.choice([1, 2])
        await station.plug(connector)
        await station.swipe(card, connector)
        start = await station.expect("StartTransaction", 5, where=lambda m, card=card: m.payload["idTag"] == card)
        assert start.payload["connectorId"] == connector
        await station.status("Charging", connector)
        await station.unplug(connector)
        await station.status("Available", connector)
