"""A scenario as a module of Python: `async def scenario(stage)`, and in capitals what a YAML file says in its keys.

It is code of whoever runs it, and is run like any module of his.
"""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from csms_emulator.scenarios.scenario import Document, Play

_KEYS = ("name", "station", "stations", "versions", "seed", "variables", "cards", "needs_api", "booted", "limit")


def read(file: Path) -> tuple[Document, Play]:
    """What it says, and what it plays. Raises `ValueError`, with a sentence."""
    module = _module(file)
    play = getattr(module, "scenario", None)
    if not inspect.iscoroutinefunction(play):
        raise ValueError(f"{file}: there is no `async def scenario(stage)` in it.")
    given: dict[str, Any] = {key: getattr(module, key.upper()) for key in _KEYS if hasattr(module, key.upper())}
    try:
        return msgspec.convert({"description": module.__doc__ or "", **given}, Document), play
    except msgspec.ValidationError as error:
        raise ValueError(f"{file}: {error}.") from None


def _module(file: Path) -> ModuleType:
    described = importlib.util.spec_from_file_location(f"scenario_{file.stem}", file)
    if described is None or described.loader is None:
        raise ValueError(f"{file}: not a module.")
    module = importlib.util.module_from_spec(described)
    try:
        described.loader.exec_module(module)
    except (SyntaxError, ImportError, NameError, AttributeError, TypeError) as error:
        raise ValueError(f"{file}: {error}.") from None
    return module
