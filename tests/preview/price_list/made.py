"""Price lists in the shape of AWS's, with one product for each rule, served on this machine."""

import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from documents import prices
from preview.price_list.rules import RULES, UNITS

Json = dict[str, Any]
REGION = "eu-central-1"
DOLLARS = "0.0123000000"


def unit(name: str) -> str:
    """A unit as the list writes it."""
    return min(UNITS[prices.unit(name)])


def sku(name: str) -> str:
    return f"SKU-{name}"


def dimension(name: str, dollars: str = DOLLARS, begin: str = "0", end: str = "Inf", currency: str = "USD") -> Json:
    return {"unit": unit(name), "beginRange": begin, "endRange": end, "pricePerUnit": {currency: dollars}}


def term(*dimensions: Json) -> Json:
    return {"T.1": {"priceDimensions": {f"T.1.{at}": one for at, one in enumerate(dimensions)}, "termAttributes": {}}}


def product(name: str, region: str = REGION) -> Json:
    rule = RULES[name]
    attributes = {"usagetype": f"EUC1-{rule.usagetype}", "regionCode": region, "location": "EU (Fränkfurt)"}
    further = dict(rule.attributes)
    family = further.pop("productFamily", "Any")
    return {"sku": sku(name), "productFamily": family, "attributes": attributes | further}


def offers() -> dict[str, Json]:
    """The lists of all offers that rules ask for, with other products around."""
    found: dict[str, Json] = {}
    for name, rule in RULES.items():
        offer = found.setdefault(
            rule.offer,
            {
                "formatVersion": "v1.0",
                "offerCode": rule.offer,
                "version": "20261001000000",
                "publicationDate": "2026-10-01T08:15:30Z",
                "products": {},
                "terms": {"OnDemand": {}, "Reserved": {"X": {"Y": {"priceDimensions": {}}}}},
                "attributesList": {},
            },
        )
        offer["products"][sku(name)] = product(name)
        offer["terms"]["OnDemand"][sku(name)] = term(dimension(name))
        # What only looks like it.
        near = product(name)
        near["attributes"]["usagetype"] += "-Windows"
        offer["products"][f"{sku(name)}-near"] = near
        offer["products"][f"{sku(name)}-far"] = product(name, "us-west-2")
    return found


@contextmanager
def served(lists: Mapping[str, Json | bytes]) -> Generator[str]:
    """The address under which these lists are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, _, _, _, offer, _, region, _ = self.path.split("/")
            content = lists.get(offer) if region == REGION else None
            self.send_response(404 if content is None else 200)
            self.end_headers()
            if content is not None:
                self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
