"""Where tests take their brokers from: decided without starting any."""

import json
from collections.abc import Mapping

import pytest

from tests.support.brokers import definitions
from tests.support.choice import RABBITMQ, REDIS, BrokerMissingError, Choice, Elsewhere, Image, Kind, Program, choose
from tests.support.ports import free_port


def chosen(
    kind: Kind = RABBITMQ,
    *,
    environ: Mapping[str, str] | None = None,
    images: tuple[str, ...] = (),
    programs: Mapping[str, str] | None = None,
) -> Choice:
    installed = programs or {}
    return choose(kind, environ or {}, images.__contains__, lambda name: installed.get(name))


def test_an_address_in_the_environment_wins_over_everything() -> None:
    choice = chosen(
        environ={"CSMS_TEST_AMQP_URL": "amqp://broker"},
        images=(RABBITMQ.image,),
        programs={"rabbitmq-server": "/sbin/rabbitmq-server"},
    )

    assert choice == Elsewhere("amqp://broker")


def test_no_engine_is_asked_when_an_address_is_set() -> None:
    def engine(image: str) -> bool:
        raise AssertionError(f"asked for {image}")

    assert choose(REDIS, {"CSMS_TEST_REDIS_URL": "redis://r"}, engine, lambda _: None) == Elsewhere("redis://r")


def test_an_empty_address_is_none() -> None:
    assert chosen(REDIS, environ={"CSMS_TEST_REDIS_URL": ""}, images=(REDIS.image,)) == Image(REDIS.image)


def test_each_broker_has_its_own_variable() -> None:
    choice = chosen(
        REDIS, environ={"CSMS_TEST_AMQP_URL": "amqp://broker"}, programs={"redis-server": "/usr/bin/redis-server"}
    )

    assert choice == Program("/usr/bin/redis-server")


def test_a_usable_image_wins_over_a_program() -> None:
    choice = chosen(images=(RABBITMQ.image,), programs={"rabbitmq-server": "/sbin/rabbitmq-server"})

    assert choice == Image(RABBITMQ.image)


def test_an_image_of_another_broker_does_not_help() -> None:
    choice = chosen(images=(REDIS.image,), programs={"rabbitmq-server": "/sbin/rabbitmq-server"})

    assert choice == Program("/sbin/rabbitmq-server")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            RABBITMQ,
            "This test needs RabbitMQ: set CSMS_TEST_AMQP_URL, or start Docker with the image rabbitmq:4-alpine, or "
            "install the program rabbitmq-server (Debian and Ubuntu: apt-get install --no-install-recommends "
            "rabbitmq-server; macOS: brew install rabbitmq).",
        ),
        (
            REDIS,
            "This test needs Redis: set CSMS_TEST_REDIS_URL, or start Docker with the image redis:7-alpine, or "
            "install the program redis-server (Debian and Ubuntu: apt-get install --no-install-recommends "
            "redis-server; macOS: brew install redis).",
        ),
    ],
)
def test_without_any_the_failure_says_what_to_install(kind: Kind, sentence: str) -> None:
    with pytest.raises(BrokerMissingError) as missing:
        chosen(kind)

    assert str(missing.value) == sentence


def test_a_port_is_given_once() -> None:
    ports = [free_port() for _ in range(50)]

    assert len(set(ports)) == 50


def test_the_definitions_hold_the_default_vhost_and_numbered_ones_with_rights_for_guest() -> None:
    parsed = json.loads(definitions(2))

    assert [vhost["name"] for vhost in parsed["vhosts"]] == ["/", "test-0", "test-1"]
    assert [(p["user"], p["vhost"]) for p in parsed["permissions"]] == [
        ("guest", "/"),
        ("guest", "test-0"),
        ("guest", "test-1"),
    ]
