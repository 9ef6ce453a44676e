"""Reads the prices of a region and writes their file.

A list is kept on disk while it is read. A rule that finds no product, or several, writes nothing at all: a product that
was renamed must not become a price of something else.
"""

import hashlib
import json
import re
import ssl
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

import httpx

from documents import prices
from documents.faults import ConfigurationError
from documents.prices import REQUIRED, Prices
from preview import wiring
from preview.costs import files
from preview.price_list.entries import entries
from preview.price_list.rules import BY_HAND, RULES, UNITS, Rule
from preview.recording import ProgramError

AWS: Final = "https://pricing.us-east-1.amazonaws.com"
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_CHUNK: Final = 1 << 20
_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True)
class _Read:
    """What the list of an offer says: the `offer` and its `prices` as the file has them, and the `problems` of rules
    that did not find one product."""

    offer: Mapping[str, str]
    prices: Mapping[str, Any]
    problems: Sequence[str]


def refresh(region: str, folder: Path, base: str = AWS, keep: frozenset[str] = frozenset()) -> Prices:
    """Read the prices of a region and write its file. Prices that are not in the list, or that are to be kept, stay as
    they were; of a new region they are those of `files.REFERENCE`, and say so.

    Raises ProgramError, with every rule that did not find its product, and leaves the file as it was.
    """
    _check(region, keep)
    found = _kept(region, folder, keep)
    offers = {offer: _read(offer, rules, region, base) for offer, rules in _by_offer(keep).items()}
    if problems := [f"  {problem}" for one in offers.values() for problem in one.problems]:
        raise ProgramError("the price list is not as expected:\n" + "\n".join(problems))
    for one in offers.values():
        found |= one.prices
    document = _document(region, {offer: one.offer for offer, one in offers.items()}, found)
    try:
        made = prices.parsed(document)
    except ConfigurationError as error:
        raise ProgramError(f"the price list is not as expected:\n{error}") from error
    _write(folder / f"{region}.json", json.dumps(document, indent=2) + "\n")
    return made


def _check(region: str, keep: frozenset[str]) -> None:
    if not _REGION.fullmatch(region):
        raise ProgramError(f"{region!r} is no region of AWS; write it as eu-central-1")
    if unknown := sorted(keep - set(REQUIRED) - set(RULES)):
        raise ProgramError(f"no price is called {' or '.join(unknown)}; known: {', '.join(sorted(RULES))}")


def _by_offer(keep: frozenset[str]) -> Mapping[str, Mapping[str, Rule]]:
    """The rules of prices that are read, by offer and name."""
    found: dict[str, dict[str, Rule]] = defaultdict(dict)
    for name, rule in RULES.items():
        if name not in keep:
            found[rule.offer][name] = rule
    return found


def _document(region: str, offers: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The file: prices that every region has come first."""
    order = dict.fromkeys(name for name in (*REQUIRED, *sorted(found)) if name in found)
    return {"region": region, "currency": "USD", "offers": offers, "prices": {name: found[name] for name in order}}


def _kept(region: str, folder: Path, keep: frozenset[str]) -> dict[str, Any]:
    """What is not read, as the file has it."""
    own = region in files.regions(folder)
    before = files.load(region if own else files.REFERENCE, folder if own else files.FOLDER)
    found: dict[str, Any] = {}
    for name, price in before.prices.items():
        if name in BY_HAND | keep or (own and name not in RULES):
            document = price.model_dump(mode="json", exclude_defaults=True)
            # Decimals below a millionth would come out with an exponent.
            tiers = [{"begin": f"{tier.begin:f}", "dollars": f"{tier.dollars:f}"} for tier in price.tiers]
            doubt = {} if own else {"unverified": f"that of {files.REFERENCE}: nobody has read it for {region}"}
            found[name] = {**document, "tiers": tiers, **doubt}
    return found


def _write(file: Path, text: str) -> None:
    try:
        whole = file.with_suffix(".new")
        whole.write_text(text, "utf-8")
        whole.replace(file)
    except OSError as error:
        raise ProgramError(f"cannot write {file}: {error.strerror}") from error


@cache
def _trust() -> ssl.SSLContext:
    # Reading all authorities takes a tenth of a second, and once is enough.
    return httpx.create_ssl_context()


def _download(url: str, copy: IO[bytes]) -> str:
    """The document at `url` into a file; what comes back is its SHA-256."""
    digest = hashlib.sha256()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, follow_redirects=True, verify=_trust()) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(_CHUNK):
                digest.update(chunk)
                copy.write(chunk)
    except httpx.HTTPStatusError as error:
        raise ProgramError(f"AWS's price list has no {url}: status {error.response.status_code}") from error
    # The last two are what httpx says of a proxy that it does not know, or of SOCKS.
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise ProgramError(f"cannot read {url}: {error}; try again where it can be reached") from error
    return digest.hexdigest()


def _read(offer: str, rules: Mapping[str, Rule], region: str, base: str) -> _Read:
    url = f"{base}/offers/v1.0/aws/{offer}/current/{region}/index.json"
    with tempfile.TemporaryFile() as copy:
        digest = _download(url, copy)
        try:
            head, products = _products(copy, rules, region)
            terms = _terms(copy, products)
        except ValueError as error:
            raise ProgramError(f"the list of {offer} is no JSON document: {error}") from error
    version, published = _issue(offer, head)
    origin = {"source": "list", "reference": f"AWS Price List, {offer} {version}", "date": published}
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, rule in rules.items():
        if rule.optional and not products[name]:
            continue
        try:
            found[name] = _price(prices.unit(name), rule, products[name], terms, origin)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    return _Read({"version": version, "published": published, "url": url, "sha256": digest}, found, problems)


def _issue(offer: str, head: Mapping[str, str]) -> tuple[str, str]:
    """Version and date of a list."""
    version, published = head.get("version", ""), head.get("publicationDate", "")[:10]
    if not version or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", published):
        raise ProgramError(f"the list of {offer} says neither its version nor its date")
    return version, published


def _products(
    copy: IO[bytes], rules: Mapping[str, Rule], region: str
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What a list says of itself; and by price the SKUs that fit, with their usage types."""
    head: dict[str, str] = {}
    products: dict[str, dict[str, str]] = defaultdict(dict)
    for path, value in entries(copy):
        if len(path) == 1:
            head[path[0]] = str(value)
        elif path[0] == "products":
            product = wiring.table(value)
            for name, rule in rules.items():
                if rule.fits(product, region):
                    products[name][path[1]] = str(wiring.table(product.get("attributes")).get("usagetype"))
    return head, products


def _terms(copy: IO[bytes], products: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What a list says of prices on demand, by SKU, of these products."""
    wanted = {sku for found in products.values() for sku in found}
    # Again from the start: nothing promises that products come before their prices.
    on_demand = (entry for entry in entries(copy) if entry[0][:2] == ("terms", "OnDemand"))
    return {path[2]: value for path, value in on_demand if path[2] in wanted}


def _price(
    unit: str, rule: Rule, skus: Mapping[str, str], terms: Mapping[str, Any], origin: Mapping[str, str]
) -> dict[str, Any]:
    """A price as the file has it. Raises ValueError, with what is not as it should be."""
    if len(skus) != 1:
        which = f": {', '.join(sorted(skus))}" if skus else ""
        raise ValueError(f"{len(skus)} products of {rule.offer} have the usage type {rule.usagetype}{which}")
    ((sku, usagetype),) = skus.items()
    try:
        tiers = _tiers(terms.get(sku), rule, unit)
    except ValueError as error:
        raise ValueError(f"{sku} {error}") from error
    doubt = {"unverified": f"the free {rule.free:,} are from AWS's page"} if rule.free else {}
    return {"unit": unit, "tiers": tiers, **origin, "sku": sku, "usagetype": usagetype, **doubt}


def _tiers(terms: Any, rule: Rule, unit: str) -> list[dict[str, str]]:
    """The tiers of a product's price. Raises ValueError, with what is not as it should be."""
    offered = list(wiring.table(terms).values())
    if len(offered) != 1:
        raise ValueError(f"has {len(offered)} prices on demand")
    found: list[tuple[Decimal, str]] = []
    for dimension in wiring.table(wiring.table(offered[0]).get("priceDimensions")).values():
        stated = wiring.table(dimension)
        if str(stated.get("unit")).lower() not in UNITS[unit]:
            raise ValueError(f"is sold by {stated.get('unit')!r}, not by the {unit}")
        dollars = wiring.table(stated.get("pricePerUnit"))
        if set(dollars) != {"USD"}:
            raise ValueError(f"has a price in {' and '.join(sorted(dollars)) or 'no currency'}, not in USD")
        begin, price = str(stated.get("beginRange")), str(dollars["USD"])
        if not all(re.fullmatch(r"\d+(\.\d+)?", text) for text in (begin, price)):
            raise ValueError(f"has the price {price!r} from {begin!r} on")
        found.append((Decimal(begin), f"{Decimal(price).normalize():f}"))
    found.sort()
    if rule.free and found and Decimal(found[0][1]):
        found = [(Decimal(0), "0"), *((max(begin, rule.free), price) for begin, price in found)]
    return [{"begin": f"{begin:f}", "dollars": price} for begin, price in found]
