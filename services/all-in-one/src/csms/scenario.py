"""`csms scenario`: what files say is done at charging stations, and is expected of the central system."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import uvloop

from csms_platform import logging


def run(options: argparse.Namespace) -> int:
    """Play them; answers 0, or 1 when one has failed. Raises ValueError with a sentence for each file that is wrong."""
    from csms_emulator.scenarios.command import Wish  # YAML and HTTP, which no other command needs
    from csms_emulator.scenarios.command import run as play

    logging.configure(options.log_level or "error", options.log_format or "auto", out=sys.stderr)
    wish = Wish(
        paths=tuple(options.paths),
        urls=tuple(options.url or ()),
        api=options.api or "",
        api_key=options.api_key or os.environ.get("CSMS_API_KEY", ""),
        prefix=options.prefix,
        matching=options.matching,
        seed=options.seed,
        jobs=options.jobs,
        junit=options.junit,
        only_list=options.list,
    )
    return uvloop.run(play(wish))


def add_parser(commands: Any, formatter: Any) -> None:
    """Add `scenario` to `csms`' own commands."""
    made: argparse.ArgumentParser = commands.add_parser(
        "scenario",
        help="play scenarios, and see whether a central system does what it should",
        formatter_class=formatter,
    )
    add = made.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH", help="scenarios (.yaml, .py), or folders of them")
    add("--url", action="append", help="the central system, without the identity (what the files say); may be repeated")
    add(
        "--api", metavar="URL", default=os.environ.get("CSMS_API_URL"), help="our REST API, for commands (CSMS_API_URL)"
    )
    add("--api-key", "--token", metavar="KEY", help="API key or token (CSMS_API_KEY)")
    add("--junit", type=Path, metavar="FILE", help="write the results as JUnit's XML")
    add("--seed", type=int, metavar="N", help="chance begins here (what the files say)")
    add("--jobs", type=_jobs, default=1, metavar="N", help="how many are played at the same time (1)")
    add("--prefix", default="", metavar="TEXT", help="comes before every station's identity (nothing)")
    add("-k", dest="matching", default="", metavar="TEXT", help="only those whose name, version or file contains this")
    add("--list", action="store_true", help="only say what there is")
    add("--log-level", choices=["debug", "info", "warning", "error"], help="least level to log (error)")
    add("--log-format", choices=["auto", "json", "text"], help="form of the log (auto: text on a terminal, else JSON)")


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


__all__ = ["add_parser", "run"]
