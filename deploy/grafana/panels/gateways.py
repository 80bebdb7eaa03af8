"""The dashboard "CSMS: gateways"."""

from panels.parts import CALLS, VISITS, Dashboard, Panel, quantiles, rate, slowest

GATEWAYS = Dashboard(
    "gateways",
    "CSMS: gateways",
    {
        "WebSocket": [
            Panel("Connections", "short", {"{{instance}}": "csms_ws_connections{$i}"}),
            Panel(
                "Handshakes by status",
                "reqps",
                {"{{status}}": rate("csms_ws_handshakes_total", "status")},
                "101: let in",
            ),
            Panel("Sockets", "short", {"{{instance}}": "csms_ws_sockets{$i}"}, "handshakes under way included"),
            Panel("Calls", "reqps", {"{{instance}}": rate(f"{CALLS}_count", "instance")}),
            Panel(
                "Slowest actions, p95",
                "s",
                {legend: f"topk(10, {query})" for legend, query in slowest(CALLS, "action").items()},
            ),
            Panel(
                "Unanswered, evicted",
                "reqps",
                {
                    "unanswered": rate("csms_ws_unanswered_calls_total", "job"),
                    "evicted": rate("csms_ws_evictions_total", "job"),
                },
            ),
            Panel("Complaints by kind", "reqps", {"{{kind}}": rate("csms_ws_complaints_total", "kind")}),
            Panel(
                "Open files",
                "percentunit",
                {"{{instance}}": "process_open_fds{$i} / process_max_fds{$i}"},
                "of those allowed",
            ),
            Panel(
                "Memory by connection",
                "bytes",
                {"{{instance}}": "process_resident_memory_bytes{$i} / (csms_ws_connections{$i} > 100)"},
            ),
        ],
        "SOAP": [
            Panel("Requests under way", "short", {"{{instance}}": "csms_soap_calls_under_way{$i}"}),
            Panel("Calls by outcome", "reqps", {"{{outcome}}": rate(f"{VISITS}_count", "outcome")}),
            Panel("From a call to its answer", "s", quantiles(VISITS)),
            Panel("Refused by reason", "reqps", {"{{reason}}": rate("csms_soap_refused_requests_total", "reason")}),
            Panel(
                "Unanswered, late, outdated",
                "reqps",
                {
                    "unanswered": rate("csms_soap_unanswered_calls_total", "job"),
                    "late": rate("csms_soap_late_answers_total", "job"),
                    "outdated": rate("csms_soap_outdated_sessions_total", "job"),
                },
            ),
        ],
        "Router": [
            Panel(
                "Connection attempts by outcome",
                "reqps",
                {"{{outcome}}": rate("csms_router_connects_total", "outcome")},
            ),
            Panel("Sessions ended by reason", "reqps", {"{{reason}}": rate("csms_router_disconnects_total", "reason")}),
            Panel(
                "Calls by how they were answered", "reqps", {"{{outcome}}": rate("csms_router_calls_total", "outcome")}
            ),
            Panel("Waiting for the store", "s", quantiles("csms_router_store_seconds")),
            Panel("Store asked again", "reqps", {"{{instance}}": rate("csms_router_store_retries_total", "instance")}),
            Panel(
                "Expired before it was answered",
                "reqps",
                {"router": rate("csms_router_expired_total", "job"), "bus": rate("csms_bus_expired_total", "job")},
            ),
        ],
    },
)
