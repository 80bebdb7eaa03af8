"""The dashboard "CSMS: overview"."""

from panels.parts import CALLS, VISITS, Dashboard, Panel, quantiles, rate

OVERVIEW = Dashboard(
    "overview",
    "CSMS: overview",
    {
        "Now": [
            Panel("Stations connected", "short", {"": "sum(csms_ws_connections{$i})"}, stat=True),
            Panel("Calls a second", "reqps", {"": f"sum(rate({CALLS}_count{{$i}}[$__rate_interval]))"}, stat=True),
            Panel(
                "Calls unanswered, 1 h",
                "short",
                {"": "sum(increase(csms_ws_unanswered_calls_total{$i}[1h]))"},
                stat=True,
            ),
            Panel(
                "Dead letters, 1 h",
                "short",
                {"": 'sum(increase(csms_webhook_letters_total{outcome="dead",$i}[1h]))'},
                stat=True,
            ),
        ],
        "Stations' calls": [
            Panel(
                "Calls by version",
                "reqps",
                {
                    "{{version}}": rate(f"{CALLS}_count", "version"),
                    "{{version}} SOAP": rate(f"{VISITS}_count", "version"),
                },
            ),
            Panel("Calls by action", "reqps", {"{{action}}": f"topk(10, {rate(f'{CALLS}_count', 'action')})"}),
            Panel("Errors by action", "reqps", {"{{action}}": rate(f"{CALLS}_count", "action", 'outcome="error"')}),
            Panel("From a CALL to its answer", "s", quantiles(CALLS), "WebSocket stations, at the gateway"),
            Panel(
                "Where the time goes, p95",
                "s",
                {
                    "bus": f"histogram_quantile(0.95, {rate('csms_bus_transit_seconds_bucket', 'le')})",
                    "router, a batch": f"histogram_quantile(0.95, {rate('csms_router_pass_seconds_bucket', 'le')})",
                    "store": f"histogram_quantile(0.95, {rate('csms_router_store_seconds_bucket', 'le')})",
                    "endpoint": f"histogram_quantile(0.95, {rate('csms_webhook_seconds_bucket', 'le')})",
                },
            ),
            Panel(
                "Payloads that their schema refuses",
                "reqps",
                {
                    "{{version}} {{rule}}": rate("csms_ws_violations_total", "version, rule"),
                    "{{version}} {{rule}} SOAP": rate("csms_soap_violations_total", "version, rule"),
                },
            ),
        ],
        "Processes": [
            Panel(
                "CPU",
                "percentunit",
                {"{{job}} {{instance}}": "rate(process_cpu_seconds_total{$i}[$__rate_interval])"},
                "1 is a core",
            ),
            Panel("Memory", "bytes", {"{{job}} {{instance}}": "process_resident_memory_bytes{$i}"}),
            Panel(
                "Event loop late, p99",
                "s",
                {
                    "{{job}} {{instance}}": "histogram_quantile(0.99, "
                    + rate("csms_loop_lag_seconds_bucket", "le, job, instance")
                    + ")"
                },
            ),
            Panel(
                "Broker and store",
                "short",
                {"{{instance}} broker": "csms_bus_connected{$i}", "{{instance}} Redis": "csms_redis_up{$i}"},
                "1: there, 0: away",
            ),
        ],
    },
)
