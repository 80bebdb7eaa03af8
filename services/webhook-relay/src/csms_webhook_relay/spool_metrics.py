"""What becomes of letters, counted. `queue` is the name of an endpoint, or `observer.<name>`: from the settings."""

from csms_platform.metrics import counter, gauge

DELIVERED = "delivered"
DEAD = "dead"  # kept as a dead letter
DROPPED = "dropped"  # an observer's: nobody keeps it

LETTERS = counter("webhook_letters", "Letters that left the spool, by how", ("queue", "outcome"))
UNUSABLE = counter("webhook_unusable_replies", "Letters taken with a reply that would not do for a station", ("queue",))
WAITING = gauge(
    "webhook_spool_letters", "Letters in the spool, as this relay sees it: the most of all is right", ("queue",)
)
OLDEST = gauge("webhook_spool_age_seconds", "Age of the oldest letter that this relay is to deliver", ("queue",))
IN_HAND = gauge("webhook_letters_in_hand", "Letters that are being delivered, or wait for their turn", ("queue",))
NOT_STORED = counter("webhook_not_stored", "Messages that could not be stored in the spool", ("queue",))
BURIED_LIVE = counter("webhook_buried", "Messages that became dead letters without a stay in the spool", ("queue",))
