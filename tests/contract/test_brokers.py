"""The brokers that tests get are real: they answer, keep what they were given, and come back."""

import asyncio

import aio_pika
import redis.asyncio

from tests.support.brokers import RabbitMQ, Redis


async def put(url: str, queue: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue)


async def take(url: str, queue: str) -> bytes | None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        declared = await channel.declare_queue(queue, durable=True)
        message = await declared.get(no_ack=True, fail=False)
        return message.body if message else None


async def test_the_shared_rabbitmq_carries_a_message(amqp_url: str) -> None:
    await put(amqp_url, "brokers.ping", b"ping")

    assert await take(amqp_url, "brokers.ping") == b"ping"


async def test_fresh_vhosts_are_apart(rabbitmq: RabbitMQ) -> None:
    one, other = rabbitmq.fresh_vhost(), rabbitmq.fresh_vhost()
    await put(one, "brokers.apart", b"one")

    assert (await take(other, "brokers.apart"), await take(one, "brokers.apart")) == (None, b"one")


async def test_the_shared_redis_answers_a_ping(redis_url: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        assert await client.ping() is True


async def test_fresh_databases_are_apart(redis_server: Redis) -> None:
    one, other = redis_server.fresh_database(), redis_server.fresh_database()
    async with redis.asyncio.from_url(one) as first, redis.asyncio.from_url(other) as second:
        await first.set("key", "one")

        assert (await first.get("key"), await second.get("key")) == (b"one", None)


async def test_a_restarted_rabbitmq_has_its_durable_messages_at_the_same_address(private_rabbitmq: RabbitMQ) -> None:
    url = private_rabbitmq.fresh_vhost()
    await put(url, "brokers.durable", b"kept")

    await asyncio.to_thread(private_rabbitmq.restart)

    assert await take(url, "brokers.durable") == b"kept"


async def test_a_killed_rabbitmq_is_down_at_once_and_starts_with_its_confirmed_messages(
    private_rabbitmq: RabbitMQ,
) -> None:
    url = private_rabbitmq.fresh_vhost()
    await put(url, "brokers.durable", b"kept")

    private_rabbitmq.kill()
    down = not private_rabbitmq.healthy
    await asyncio.to_thread(private_rabbitmq.start)

    assert (down, await take(url, "brokers.durable")) == (True, b"kept")


async def test_a_restarted_redis_has_its_keys_at_the_same_address(private_redis: Redis) -> None:
    url = private_redis.fresh_database()
    async with redis.asyncio.from_url(url) as client:
        await client.set("key", "kept")

    await asyncio.to_thread(private_redis.restart)

    async with redis.asyncio.from_url(url) as client:
        assert await client.get("key") == b"kept"


async def test_a_killed_redis_is_down_at_once_and_can_be_started(private_redis: Redis) -> None:
    private_redis.kill()
    down = not private_redis.healthy
    await asyncio.to_thread(private_redis.start)

    assert (down, private_redis.healthy) == (True, True)
