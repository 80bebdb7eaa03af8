"""What the dashboards show. `make.py` makes files of it."""

from panels.broker import BROKER
from panels.commands import COMMANDS
from panels.gateways import GATEWAYS
from panels.overview import OVERVIEW
from panels.webhook import WEBHOOK

DASHBOARDS = (OVERVIEW, GATEWAYS, WEBHOOK, COMMANDS, BROKER)
