"""The scenarios of files: YAML ones, and modules of Python. Everything in them is checked before anything starts."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from csms_emulator.files.specification import Specification, refused
from csms_emulator.scenarios import python_file, yaml_file
from csms_emulator.scenarios.durations import span
from csms_emulator.scenarios.scenario import Document, Play, Scenario, fleets_of, seed_of, versions_of
from csms_emulator.scenarios.script import Reader
from csms_emulator.scenarios.yaml_file import Place
from csms_ocpp.version import Version

_KINDS = (".yaml", ".yml", ".py")


def load(paths: Iterable[Path], matching: str = "") -> list[Scenario]:
    """The scenarios of these files, and of those in these folders; one for each version.

    `matching` is what a name, version or file has to contain, whatever its case. Raises `ValueError`: a sentence for
    each file that is wrong, with file and line.
    """
    found, wrong = [], []
    for file in _files(paths):
        try:
            found += _read(file)
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))
    wanted = matching.casefold()
    return [one for one in found if wanted in f"{one.title} {one.file.stem}".casefold()]


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if _is_one(one)) if path.is_dir() else [path]
        if not inside:
            raise ValueError(f"{path}: there is no scenario (*.yaml, *.py) in this folder.")
        if inside[0].suffix not in _KINDS:
            raise ValueError(f"{path}: a scenario is a .yaml or a .py file, or a folder of them.")
        found += inside
    return list(dict.fromkeys(found))


def _is_one(file: Path) -> bool:
    return file.suffix in _KINDS and not file.name.startswith(("_", ".", "conftest"))


def _read(file: Path) -> list[Scenario]:
    if file.suffix == ".py":
        document, play = python_file.read(file)
        return [_scenario(file, document, version, {}, play) for version in versions_of(document)]
    try:
        given, lines = yaml_file.read(file)
        document = msgspec.convert(given, Document)
    except yaml_file.YamlError as error:
        raise ValueError(f"{file}:{error.line}: {error}.") from None
    except msgspec.ValidationError as error:
        raise refused(file, error) from None
    if not document.steps:
        raise ValueError(f"{file}: steps: there are none.")
    return [_scenario(file, document, version, lines) for version in versions_of(document)]


def _scenario(
    file: Path, document: Document, version: str, lines: dict[Place, int], play: Play | None = None
) -> Scenario:
    seed = seed_of(document, file)
    fleets = fleets_of(document, file, version, seed)
    reader = Reader(file, document, lines, version, _speakers(fleets))
    played = play or reader.script(document.steps)
    return Scenario(
        file=file,
        name=document.name or file.stem.replace("-", " ").replace("_", " ").capitalize(),
        version=version,
        description=document.description.strip(),
        fleets=fleets,
        seed=seed,
        variables=document.variables,
        cards=document.cards,
        needs_api=document.needs_api or bool(document.cards) or reader.commands,
        booted=document.booted,
        limit=span(document.limit),
        play=played,
    )


def _speakers(fleets: Sequence[Specification]) -> list[Version]:
    return [fleet.settings.dialect for fleet in fleets for _ in range(fleet.settings.count)]
