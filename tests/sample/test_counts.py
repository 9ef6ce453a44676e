"""Orders counted on a metrics page and by StatsD."""

import re
import socket
import urllib.request

import pytest

from sample.counts import Counts
from sample.environment import InvalidEnvironmentError, Settings, read


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_page_counts_by_status() -> None:
    port = free_port()
    counts = Counts(Settings(metrics_port=port))
    for status in (200, 200, 500):
        counts.count(status)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        page = answer.read().decode()
    assert re.findall(r"^sample_orders_total.*$", page, re.MULTILINE) == [
        'sample_orders_total{status="200"} 2.0',
        'sample_orders_total{status="500"} 1.0',
    ]
    assert "process_" not in page


def test_each_order_is_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(15)
        host, port = receiver.getsockname()
        Counts(Settings(name="shop", statsd_host=host, statsd_port=port)).count(502)
        assert receiver.recv(1024) == b"sample.orders:1|c|#application:shop,status:502"


def test_nothing_is_opened_where_nothing_is_said() -> None:
    Counts(read({"METRICS_PORT": "", "STATSD_HOST": "", "STATSD_PORT": ""})).count(200)


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"METRICS_PORT": "x"}, "METRICS_PORT must be a whole number from 0 to 65535, not 'x'"),
        ({"STATSD_PORT": "0"}, "STATSD_PORT must be a whole number from 1 to 65535, not '0'"),
    ],
)
def test_ports_that_are_none(variables: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidEnvironmentError, match=text):
        read(variables)
