"""What is taken besides OTLP: ports, faults, and what clients are told."""

import pytest

from documents import ports, receivers
from documents.ports import Protocol
from documents.signals import Receiver

ALL = frozenset(Receiver)


def test_each_receiver_opens_its_own_ports_only() -> None:
    opened = {one: [(port.number, port.protocol) for port in ports.opened([one])] for one in Receiver}
    assert opened == {
        Receiver.XRAY: [(2000, Protocol.UDP), (2000, Protocol.TCP)],
        Receiver.STATSD: [(8125, Protocol.UDP)],
        Receiver.ZIPKIN: [(9411, Protocol.TCP)],
    }
    assert ports.opened([]) == ()
    assert ports.taken([]) == ports.OWN
    assert ports.taken(ALL) == ports.OWN | {2000, 8125, 9411}


def test_the_order_of_ports_does_not_depend_on_what_the_user_wrote() -> None:
    assert ports.opened([Receiver.ZIPKIN, Receiver.XRAY]) == ports.opened([Receiver.XRAY, Receiver.ZIPKIN])


def test_clients_are_told_of_what_is_taken() -> None:
    assert receivers.environment(ALL, "collector.dev.shop.internal") == {
        "AWS_XRAY_DAEMON_ADDRESS": "collector.dev.shop.internal:2000",
        "STATSD_HOST": "collector.dev.shop.internal",
        "STATSD_PORT": "8125",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "http://collector.dev.shop.internal:9411/api/v2/spans",
    }
    assert receivers.environment([], "127.0.0.1") == {}


def test_udp_cannot_pass_service_connect() -> None:
    assert receivers.service_faults(ALL, by_name=True) == []
    assert receivers.service_faults([Receiver.ZIPKIN], by_name=False) == []
    assert [str(fault) for fault in receivers.service_faults(ALL, by_name=False)] == [
        "collector.receivers: has xray and statsd, whose clients send UDP, which cannot pass Service Connect; "
        "use collector.discovery: cloudMap, or leave them out"
    ]


@pytest.mark.parametrize(
    ("chosen", "interval", "seconds"), [((), 60, 0), ((Receiver.STATSD,), 30, 35), ((Receiver.STATSD,), 300, 65)]
)
def test_a_stop_waits_for_the_last_interval_of_statsd(
    chosen: tuple[Receiver, ...], interval: int, seconds: int
) -> None:
    assert receivers.hold_seconds(chosen, interval) == seconds
