"""Prices out of price lists that a server on this machine has. AWS's own was never asked."""

import errno
import hashlib
import io
import json
import os
import socket
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents.prices import REQUIRED
from preview.costs import files
from preview.price_list import entries as reader
from preview.price_list.__main__ import main
from preview.price_list.entries import entries
from preview.price_list.refresh import refresh
from preview.price_list.rules import BY_HAND, RULES
from preview.recording import ProgramError
from tests.preview.price_list.made import DOLLARS, REGION, dimension, offers, served, sku, term

Lists = dict[str, Any]


def read(folder: Path, lists: Lists, keep: frozenset[str] = frozenset(), region: str = REGION):
    with served(lists) as base:
        return refresh(region, folder, base, keep)


def refused(folder: Path, lists: Lists, **more: Any) -> str:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ProgramError) as caught:
        read(folder, lists, **more)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before, "something was written"
    return str(caught.value)


def test_a_file_for_a_new_region(tmp_path: Path) -> None:
    lists = offers()
    made = read(tmp_path, lists)
    assert files.load(REGION, tmp_path) == made
    assert [path.name for path in tmp_path.iterdir()] == [f"{REGION}.json"]
    assert set(made.prices) == set(REQUIRED) | set(RULES)
    found = made["fargate.arm.vcpu"]
    assert (found.first, found.source, str(found.date)) == (Decimal("0.0123"), "list", "2026-10-01")
    assert (found.sku, found.usagetype) == (sku("fargate.arm.vcpu"), "EUC1-Fargate-ARM-vCPU-Hours:perCPU")
    offer = made.offers["AmazonECS"]
    assert (offer.version, str(offer.published)) == ("20261001000000", "2026-10-01")
    assert offer.sha256 == hashlib.sha256(json.dumps(lists["AmazonECS"]).encode()).hexdigest()
    assert offer.url.endswith(f"/offers/v1.0/aws/AmazonECS/current/{REGION}/index.json")


def test_what_is_read_on_pages_stays_and_says_whose_it_is(tmp_path: Path) -> None:
    made, ours = read(tmp_path, offers()), files.load("us-east-1")
    for name in BY_HAND:
        assert made[name].tiers == ours[name].tiers
        assert made[name].unverified == f"that of us-east-1: nobody has read it for {REGION}"
    assert not [name for name in made.prices if name.startswith("fargate-spot.")]


def test_a_second_refresh_keeps_what_people_wrote(tmp_path: Path) -> None:
    read(tmp_path, offers())
    file = tmp_path / f"{REGION}.json"
    document = json.loads(file.read_text())
    document["prices"]["grafana.editor"] = {
        "unit": "user-month",
        "tiers": [{"begin": "0", "dollars": "9.5"}],
        "source": "page",
        "reference": "the page",
        "date": "2026-11-01",
    }
    document["prices"]["fargate-spot.arm.vcpu"] = {**document["prices"]["fargate.arm.vcpu"], "source": "feed"}
    file.write_text(json.dumps(document))
    again = read(tmp_path, offers())
    assert (again["grafana.editor"].first, str(again["grafana.editor"].date)) == (Decimal("9.5"), "2026-11-01")
    assert again["grafana.editor"].unverified == ""
    assert again["fargate-spot.arm.vcpu"].source == "feed"


def test_tiers_are_read_in_order_whatever_theirs_is(tmp_path: Path) -> None:
    lists = offers()
    lists["AmazonPrometheus"]["terms"]["OnDemand"][sku("amp.samples")] = term(
        dimension("amp.samples", "0.0000000350", "2000000000", "Inf"),
        dimension("amp.samples", "0.0000000000", "0", "40000000"),
        dimension("amp.samples", "0.0000000900", "40000000", "2000000000"),
    )
    found = read(tmp_path, lists)["amp.samples"]
    assert [(str(tier.begin), f"{tier.dollars:f}") for tier in found.tiers] == [
        ("0", "0"),
        ("40000000", "0.00000009"),
        ("2000000000", "0.000000035"),
    ]
    assert found.free == 40_000_000


def test_what_is_free_by_aws_s_page_is_put_before_the_list_s_price(tmp_path: Path) -> None:
    found = read(tmp_path, offers())["xray.recorded"]
    assert (found.free, found.first) == (100_000, Decimal("0.0123"))
    assert found.unverified == "the free 100,000 are from AWS's page"


def test_terms_may_stand_before_products(tmp_path: Path) -> None:
    lists = {name: dict(reversed(list(one.items()))) for name, one in offers().items()}
    assert read(tmp_path, lists)["alarm"].first == Decimal("0.0123")


def test_a_type_of_instance_that_a_region_has_not(tmp_path: Path) -> None:
    lists = offers()
    del lists["AmazonEC2"]["products"][sku("instance.t3.medium")]
    made = read(tmp_path, lists)
    assert "instance.t3.medium" not in made.prices
    assert "instance.t3.large" in made.prices


def change(lists: Lists, offer: str, what: Callable[[Lists], object]) -> Lists:
    what(lists[offer])
    return lists


BALANCER = sku("balancer.hour")


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        (
            lambda one: one["products"].pop(BALANCER),
            "balancer.hour: 0 products of AWSELB have the usage type LoadBalancerUsage",
        ),
        (
            lambda one: one["products"].update(again=one["products"][BALANCER]),
            "balancer.hour: 2 products of AWSELB have the usage type LoadBalancerUsage: SKU-balancer.hour, again",
        ),
        (
            lambda one: one["products"][BALANCER].update(productFamily="Load Balancer-Network"),
            "balancer.hour: 0 products of AWSELB have the usage type LoadBalancerUsage",
        ),
        (lambda one: one["terms"]["OnDemand"].pop(BALANCER), "balancer.hour: SKU-balancer.hour has 0 prices on demand"),
        (
            lambda one: one["terms"]["OnDemand"].update(
                {BALANCER: term(dimension("balancer.hour", currency="CNY", dollars="0.2"))}
            ),
            "balancer.hour: SKU-balancer.hour has a price in CNY, not in USD",
        ),
        (
            lambda one: one["terms"]["OnDemand"].update({BALANCER: term({**dimension("balancer.hour"), "unit": "GB"})}),
            "balancer.hour: SKU-balancer.hour is sold by 'GB', not by the hour",
        ),
        (
            lambda one: one["terms"]["OnDemand"].update({BALANCER: term(dimension("balancer.hour", dollars="-1"))}),
            "balancer.hour: SKU-balancer.hour has the price '-1' from '0' on",
        ),
    ],
)
def test_a_rule_that_does_not_find_one_price_writes_nothing(
    tmp_path: Path, what: Callable[[Lists], object], problem: str
) -> None:
    (tmp_path / f"{REGION}.json").write_bytes(
        (files.FOLDER / "us-east-1.json").read_bytes().replace(b'"us-east-1"', f'"{REGION}"'.encode())
    )
    text = refused(tmp_path, change(offers(), "AWSELB", what))
    assert text == f"the price list is not as expected:\n  {problem}"


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    lists = offers()
    del lists["AWSELB"]["products"][BALANCER]
    del lists["awskms"]["products"][sku("kms.key")]
    assert len(refused(tmp_path, lists).splitlines()) == 3


def test_a_price_whose_rule_fails_can_be_kept(tmp_path: Path) -> None:
    lists = offers()
    del lists["AmazonCloudWatch"]["products"][sku("insights.metric")]
    assert "insights.metric: 0 products" in refused(tmp_path, lists)
    made = read(tmp_path, lists, keep=frozenset({"insights.metric"}))
    assert made["insights.metric"].first == Decimal("0.07")
    assert "nobody has read it" in made["insights.metric"].unverified


def test_tiers_that_do_not_begin_at_nothing_are_refused(tmp_path: Path) -> None:
    lists = offers()
    lists["AmazonVPC"]["terms"]["OnDemand"][sku("address")] = term(dimension("address", begin="5"))
    assert "has tiers that do not ascend from 0" in refused(tmp_path, lists)


def test_an_offer_that_is_missing(tmp_path: Path) -> None:
    lists = offers()
    del lists["AWSXRay"]
    text = refused(tmp_path, lists)
    assert text.startswith("AWS's price list has no http://127.0.0.1:")
    assert text.endswith(f"/offers/v1.0/aws/AWSXRay/current/{REGION}/index.json: status 404")


REFUSED = f"[Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}"


@pytest.mark.parametrize(
    ("base", "problem"),
    [
        ("http://127.0.0.1:1", REFUSED),
        ("ftp://127.0.0.1", "Request URL has an unsupported protocol 'ftp://'."),
        ("prices", "Request URL is missing an 'http://' or 'https://' protocol."),
        ("http://127.0.0.1:port", "Invalid port: 'port'"),
    ],
)
def test_a_list_that_cannot_be_reached(tmp_path: Path, base: str, problem: str) -> None:
    with pytest.raises(ProgramError) as caught:
        refresh(REGION, tmp_path, base)
    url = f"{base}/offers/v1.0/aws/AmazonECS/current/{REGION}/index.json"
    assert str(caught.value) == f"cannot read {url}: {problem}; try again where it can be reached"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("proxy", "problem"), [("mars://127.0.0.1", "Unknown scheme for proxy URL"), ("socks5://127.0.0.1", "SOCKS proxy")]
)
def test_a_proxy_that_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, problem: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ProgramError, match=f"^cannot read http://prices/.*{problem}"):
        refresh(REGION, tmp_path, "http://prices")


def test_a_server_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preview.price_list.refresh._TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ProgramError, match="timed out; try again"):
        refresh(REGION, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no JSON document: '{' is missing, there is ''"),
        (b"<html>", "is no JSON document: '{' is missing, there is '<'"),
        (b'{"version": "1", "products": {"a": {', "is no JSON document: "),
        (b"{}", "says neither its version nor its date"),
        (b'{"version": "\xff"}', "is no JSON document: "),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, content: bytes, problem: str) -> None:
    assert f"the list of awskms {problem}" in refused(tmp_path, offers() | {"awskms": content})


@pytest.mark.parametrize("region", ["../us-east-1", "moon", "", "EU-WEST-1"])
def test_what_is_no_region_is_asked_of_nobody(tmp_path: Path, region: str) -> None:
    assert refused(tmp_path, {}, region=region) == f"{region!r} is no region of AWS; write it as eu-central-1"


def test_a_price_that_there_is_not_cannot_be_kept(tmp_path: Path) -> None:
    assert refused(tmp_path, {}, keep=frozenset({"alarms"})).startswith("no price is called alarms; known: address, ")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with served(offers()) as base:
        monkeypatch.setattr("sys.argv", ["price_list", REGION, "--list", base, "--folder", str(tmp_path)])
        assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{len(set(REQUIRED) | set(RULES))} prices of {REGION}, {len(offers())} offers read"
    assert {line.split(",")[0] for line in lines[1:]} == {f"not read: {name}" for name in BY_HAND}

    # Nobody listens any more.
    assert main() == 1
    assert capsys.readouterr().err.endswith("\nnothing was written\n")


documents = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(),
    lambda one: some.lists(one) | some.dictionaries(some.text(), one),
    max_leaves=10,
)


@pytest.mark.slow
@given(some.dictionaries(some.text(), documents), some.integers(1, 30), some.booleans())
def test_entries_are_those_of_the_whole_document(products: Lists, chunk: int, ascii_only: bool) -> None:
    document = {"version": "ü", "products": products, "terms": {"OnDemand": products, "Other": 12345}}
    copy = io.BytesIO(
        json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass" if ascii_only else "replace")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_CHUNK", chunk)
        found = dict(entries(copy))
    expected: dict[tuple[str, ...], Any] = {("version",): "ü", ("terms", "Other"): 12345}
    expected |= {("products", key): value for key, value in products.items()}
    expected |= {("terms", "OnDemand", key): value for key, value in products.items()}
    assert found == expected


def test_dollars_have_no_zeros_at_the_end(tmp_path: Path) -> None:
    assert DOLLARS.endswith("0")
    read(tmp_path, offers())
    document = json.loads((tmp_path / f"{REGION}.json").read_text())
    assert document["prices"]["alarm"]["tiers"] == [
        {"begin": "0", "dollars": "0"},
        {"begin": "10", "dollars": "0.0123"},
    ]
