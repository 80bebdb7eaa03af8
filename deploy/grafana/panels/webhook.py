"""The dashboard "CSMS: webhook"."""

from panels.parts import Dashboard, Panel, rate, slowest

WEBHOOK = Dashboard(
    "webhook",
    "CSMS: webhook",
    {
        "Endpoints": [
            Panel(
                "Requests by outcome",
                "reqps",
                {"{{endpoint}} {{outcome}}": rate("csms_webhook_requests_total", "endpoint, outcome")},
            ),
            Panel("Replies, p95", "s", slowest("csms_webhook_seconds", "endpoint")),
            Panel(
                "Breaker",
                "short",
                {"{{endpoint}}": "max by (endpoint) (csms_webhook_breaker{$i})"},
                "0 closed, 1 open, 2 half-open",
            ),
            Panel("Requests under way", "short", {"{{endpoint}}": "sum by (endpoint) (csms_webhook_in_flight{$i})"}),
            Panel(
                "Decided by a policy instead", "reqps", {"{{policy}}": rate("csms_webhook_fallbacks_total", "policy")}
            ),
            Panel(
                "Left to be repeated by the station",
                "reqps",
                {"unanswered": rate("csms_webhook_unanswered_total", "job")},
            ),
        ],
        "Spool": [
            Panel("Letters in the spool", "short", {"{{queue}}": "max by (queue) (csms_webhook_spool_letters{$i})"}),
            Panel(
                "Age of the oldest letter", "s", {"{{queue}}": "max by (queue) (csms_webhook_spool_age_seconds{$i})"}
            ),
            Panel(
                "Letters that left, by how",
                "reqps",
                {"{{queue}} {{outcome}}": rate("csms_webhook_letters_total", "queue, outcome")},
            ),
            Panel("Stored", "reqps", {"letters": rate("csms_letters_stored_total", "job")}),
            Panel("Could not be stored", "reqps", {"{{queue}}": rate("csms_webhook_not_stored_total", "queue")}),
            Panel(
                "Dead at once",
                "reqps",
                {"{{queue}}": rate("csms_webhook_buried_total", "queue")},
                "refused by the endpoint for ever while the station waited",
            ),
        ],
        "What its answers change": [
            Panel("Settled by outcome", "reqps", {"{{outcome}}": rate("csms_router_settled_total", "outcome")}),
            Panel(
                "Taken with an unusable reply",
                "reqps",
                {"{{queue}}": rate("csms_webhook_unusable_replies_total", "queue")},
            ),
        ],
    },
)
