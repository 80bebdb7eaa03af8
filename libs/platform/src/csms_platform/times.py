"""Seconds since 1970 ↔ ISO 8601, as OCPP writes it."""

from datetime import UTC, datetime


def iso_8601(at: float) -> str:
    """Seconds since 1970 as UTC with milliseconds and Z, the one form that every station reads."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def seconds(text: str) -> float:
    """An ISO 8601 time as seconds since 1970; without a zone it is UTC. Raises `ValueError` for anything else."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
