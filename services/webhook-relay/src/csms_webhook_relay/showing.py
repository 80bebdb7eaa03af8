"""Shows letters to an endpoint; what becomes of them then is up to those who made the letters."""

from collections.abc import Callable

from csms_platform.logging import CallLog, get_logger
from csms_platform.ports import Letter
from csms_webhook_relay import spool_metrics as metrics
from csms_webhook_relay.endpoint import Endpoint
from csms_webhook_relay.lanes import Terms
from csms_webhook_relay.outcomes import Failed, Outcome, Refused, complaint, outcome
from csms_webhook_relay.settings import Settings

_log = get_logger("webhook-relay")

_PATIENCE = 60.0  # how long a letter waits for its turn behind stations' CALLs, in seconds


class Showing:
    """One endpoint as postmen see it. `now` is in seconds since 1970."""

    def __init__(self, queue: str, endpoint: Endpoint, settings: Settings, now: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._seconds = settings.timeout + _PATIENCE
        self._now = now
        self._unusable = metrics.UNUSABLE.labels(queue)
        self._troubles = CallLog(_log, settings.troubles_logged)

    @property
    def answers(self) -> int:
        """See `postman.Rounds`."""
        return self._endpoint.answers

    async def attempt(self, letter: Letter, number: int) -> Outcome:
        """See `postman.Rounds`. The attempts that were made while the station waited count, too."""
        found = await self._endpoint.ask(
            letter.envelope,
            attempt=letter.envelope.attempt + number,
            seconds=self._seconds,
            delivery_id=letter.id,
            answered=letter.answered,
            stored=letter.stored,
        )
        if wrong := complaint(found):
            self._unusable.inc()
            self._tell("letter taken with an unusable reply", wrong, letter)
        result = outcome(found, self._now())
        if isinstance(result, Failed | Refused):
            self._tell("letter not taken", result.reason, letter)
        return result

    def _tell(self, event: str, reason: str, letter: Letter) -> None:
        if self._troubles.take():
            about = letter.envelope
            _log.warning(event, reason=reason, station=about.identity, action=about.action, delivery=letter.id)


def terms(settings: Settings) -> Terms:
    """How long to go on with a letter."""
    return Terms(
        attempts=settings.spool_attempts,
        max_age=settings.spool_max_age,
        concurrency=settings.concurrency,
        first_pause=settings.spool_first_pause,
        longest_pause=settings.spool_longest_pause,
    )
