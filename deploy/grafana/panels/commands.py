"""The dashboard "CSMS: commands"."""

from panels.parts import Dashboard, Panel, rate, slowest

COMMANDS = Dashboard(
    "commands",
    "CSMS: commands",
    {
        "Commands": [
            Panel("Ended by outcome", "reqps", {"{{outcome}}": rate("csms_router_commands_total", "outcome")}),
            Panel(
                "Ended by action", "reqps", {"{{action}}": f"topk(10, {rate('csms_router_commands_total', 'action')})"}
            ),
            Panel("From taking in to the end, p95", "s", slowest("csms_router_command_seconds", "outcome")),
            Panel(
                "With stations now",
                "short",
                {"WebSocket": "sum(csms_ws_commands_under_way{$i})", "SOAP": "sum(csms_soap_commands_under_way{$i})"},
            ),
            Panel("Station's answer, p95", "s", slowest("csms_ws_command_seconds", "action", 'outcome="result"')),
            Panel(
                "Orders that wait in the broker",
                "short",
                {"{{queue}}": 'max by (queue) (rabbitmq_detailed_queue_messages{queue=~".*ocpp[.]commands.*"})'},
            ),
            Panel(
                "Postponed, returned, repeated",
                "reqps",
                {
                    "postponed": rate("csms_router_commands_postponed_total", "job"),
                    "returned": rate("csms_router_commands_returned_total", "job"),
                    "repeated": rate("csms_router_commands_repeated_total", "job"),
                },
            ),
            Panel(
                "Outcomes that could not be kept",
                "reqps",
                {"unsettled": rate("csms_router_commands_unsettled_total", "job")},
            ),
        ],
        "API": [
            Panel("Requests by status", "reqps", {"{{status}}": rate("csms_api_requests_total", "status")}),
            Panel(
                "Requests, p95 by route",
                "s",
                {
                    legend: f"topk(10, {query})"
                    for legend, query in slowest("csms_api_request_seconds", "route").items()
                },
            ),
            Panel(
                "Commands of clients by outcome", "reqps", {"{{outcome}}": rate("csms_api_commands_total", "outcome")}
            ),
            Panel("Clients that wait for an outcome", "short", {"{{instance}}": "csms_api_commands_waiting{$i}"}),
            Panel(
                "Refused: too often, wrong credentials",
                "reqps",
                {
                    "{{limit}}": rate("csms_api_limited_total", "limit"),
                    "{{scheme}}": rate("csms_api_failed_logins_total", "scheme"),
                },
            ),
            Panel("Listeners of the live log", "short", {"{{instance}}": "csms_api_listeners{$i}"}),
        ],
    },
)
