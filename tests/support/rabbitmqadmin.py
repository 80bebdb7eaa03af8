"""Stands in for `rabbitmqadmin` where there is none, or no management plugin for it to talk to: the same command line,
over AMQP. The broker is AMQP_URL.

Knows what docs/commands.md shows: `publish`, `declare exchange|queue|binding`, `get`.
"""

import json
import os
import sys

import pika  # type: ignore[import-untyped]


def main(command: list[str]) -> None:
    """Run one command line."""
    verb, *rest = command
    given = dict(word.split("=", 1) for word in rest if "=" in word)
    with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
        channel = connection.channel()
        match [verb, *(word for word in rest if "=" not in word)]:
            case ["publish"]:
                properties = pika.BasicProperties(**json.loads(given.get("properties", "{}")))
                channel.confirm_delivery()
                channel.basic_publish(given["exchange"], given["routing_key"], given["payload"], properties, True)
                print("Message published")
            case ["declare", "exchange"]:
                channel.exchange_declare(given["name"], given["type"], durable=given["durable"] == "true")
            case ["declare", "queue"]:
                channel.queue_declare(given["name"], durable=given["durable"] == "true")
            case ["declare", "binding"]:
                channel.queue_bind(given["destination"], given["source"], given["routing_key"])
            case ["get"]:
                for _ in range(int(given["count"])):
                    method, _, body = channel.basic_get(given["queue"], given["ackmode"] == "ack_requeue_false")
                    print(f"{method.routing_key} {body.decode()}" if method else "", end="\n" if method else "")
            case unknown:
                sys.exit(f"rabbitmqadmin: {unknown} is not known here")


if __name__ == "__main__":
    main(sys.argv[1:])
