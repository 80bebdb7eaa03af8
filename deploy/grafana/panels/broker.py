"""The dashboard "CSMS: broker and store"."""

from panels.parts import Dashboard, Panel, quantiles, rate, slowest

BROKER = Dashboard(
    "broker",
    "CSMS: broker and store",
    {
        "What we see of RabbitMQ": [
            Panel("Envelopes", "reqps", {"{{address}}": rate("csms_bus_batch_envelopes_sum", "address")}),
            Panel(
                "Envelopes in a batch",
                "short",
                {
                    "{{address}}": rate("csms_bus_batch_envelopes_sum", "address")
                    + " / "
                    + rate("csms_bus_batch_envelopes_count", "address")
                },
            ),
            Panel("To the confirm, p95", "s", slowest("csms_bus_confirm_seconds", "address")),
            Panel(
                "On the way, p95",
                "s",
                slowest("csms_bus_transit_seconds", "address"),
                "from publishing to arrival, by both processes' clocks",
            ),
            Panel("Outboxes", "bytes", {"{{instance}}": "csms_bus_outbox_bytes{$i}"}),
            Panel(
                "Troubles",
                "reqps",
                {
                    "reconnects": rate("csms_bus_reconnects_total", "job"),
                    "republished": rate("csms_bus_republished_total", "job"),
                    "given up": rate("csms_bus_given_up_total", "job"),
                    "returned": rate("csms_bus_returned_total", "job"),
                    "unreadable": rate("csms_bus_unreadable_total", "job"),
                    "handler failed": rate("csms_bus_handler_failures_total", "job"),
                },
            ),
            Panel(
                "Events",
                "reqps",
                {
                    "published": rate("csms_events_published_total", "job"),
                    "dropped": rate("csms_events_dropped_total", "job"),
                },
            ),
        ],
        "What RabbitMQ says": [
            Panel(
                "Messages that wait",
                "short",
                {"{{queue}}": "topk(10, max by (queue) (rabbitmq_detailed_queue_messages_ready))"},
            ),
            Panel(
                "Messages with a consumer",
                "short",
                {"{{queue}}": "topk(10, max by (queue) (rabbitmq_detailed_queue_messages_unacked))"},
            ),
            Panel(
                "Messages in, out",
                "reqps",
                {
                    "in": "sum(rate(rabbitmq_global_messages_received_total[$__rate_interval]))",
                    "out": "sum(rate(rabbitmq_global_messages_delivered_total[$__rate_interval]))",
                },
            ),
            Panel(
                "Memory, of the limit",
                "percentunit",
                {"{{instance}}": "rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes"},
            ),
            Panel(
                "Disk above the limit",
                "bytes",
                {"{{instance}}": "rabbitmq_disk_space_available_bytes - rabbitmq_disk_space_available_limit_bytes"},
            ),
            Panel(
                "Connections, channels",
                "short",
                {"{{instance}} connections": "rabbitmq_connections", "{{instance}} channels": "rabbitmq_channels"},
            ),
        ],
        "Redis": [
            Panel("Commands", "ops", {"{{instance}}": rate("csms_redis_batch_commands_sum", "instance")}),
            Panel(
                "Commands in a batch",
                "short",
                {
                    "{{instance}}": rate("csms_redis_batch_commands_sum", "instance")
                    + " / "
                    + rate("csms_redis_batch_commands_count", "instance")
                },
            ),
            Panel("A batch", "s", quantiles("csms_redis_seconds")),
            Panel("Errors by reason", "reqps", {"{{reason}}": rate("csms_redis_errors_total", "reason")}),
        ],
    },
)
