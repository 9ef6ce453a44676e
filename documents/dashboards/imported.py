"""Dashboards that users bring along, made to show data here.

Grafana resolves `__inputs` and `${DS_...}` only in its import wizard, not when a program uploads a dashboard, and it
finds data sources by name or by the uid of the Grafana that a dashboard came from. Here every reference becomes one of
our data sources, by the type of its plugin. Everything else stays as it is: Grafana migrates old panels itself.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, cast

from documents.dashboards.layout import canonical
from documents.dashboards.model import Dashboard
from documents.dashboards.sources import AMP, SOURCES, Source, source_of

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

_LONGEST_UID: Final = 33
"""Grafana takes 40, of which seven tell stacks apart in a Grafana of others (`dashboards.shared`)."""

_OWN: Final = frozenset({"-- Grafana --", "-- Mixed --", "-- Dashboard --", "grafana", "__expr__", "-100"})
_OWN_TYPES: Final = frozenset({"datasource", "grafana", "__expr__"})
"""Data sources that every Grafana has."""

_OF_ONE_GRAFANA: Final = ("id", "version", "iteration", "__inputs", "__requires", "__elements")
_REFERENCE: Final = re.compile(r"\$\{(?P<braces>[^}:]+)(?::[^}]*)?\}|\$(?P<bare>\w+)|\[\[(?P<brackets>\w+)\]\]")
_INPUT: Final = re.compile(r"\$\{(DS_[^}]*)\}")


class DashboardError(ValueError):
    """A dashboard cannot be imported; the text says what is wrong and what would be right, in one sentence."""


def imported(name: str, text: str, sources: Sequence[Source] = SOURCES) -> Dashboard:
    """The dashboard in `text`, its data sources replaced by `sources`.

    `name` is the name of its file and becomes its uid. Raises `DashboardError` when the text is not a dashboard in
    Grafana's classic JSON or needs a data source of a kind that is not in `sources`.
    """
    document = _classic(text)
    references = _References(document, sources)
    _inline_library_panels(document)
    for key in _OF_ONE_GRAFANA:
        document.pop(key, None)
    result = cast("Object", _replaced(document, references.constants))
    _fix_variables(result, references)
    _fix_sources(result, references)
    rest = _INPUT.search(json.dumps(result))
    if rest:
        raise _error("an input has no data source", rest[0], "declare it in `__inputs` with its plugin")
    result["uid"] = uid = _uid(name)
    title = result.get("title")
    if not isinstance(title, str) or not title.strip():
        result["title"] = title = uid
    return Dashboard(uid, title, canonical(result))


def _classic(text: str) -> Object:
    try:
        document = cast("Json", json.loads(text))
    except json.JSONDecodeError as error:
        raise _error("the file is not JSON", str(error), "export the dashboard from Grafana as JSON") from error
    if isinstance(document, dict) and isinstance(wrapped := document.get("dashboard"), dict):
        document = wrapped  # what Grafana's API answers
    if not isinstance(document, dict):
        raise _error("the file is not a dashboard", text.strip(), "use a JSON object with `panels`")
    if "apiVersion" in document or "spec" in document:
        version = document.get("apiVersion", "spec")
        raise _error("the dashboard is a Kubernetes-style resource", version, "export it with the classic JSON model")
    if not isinstance(document.get("panels", document.get("rows")), list):
        raise _error("the file is not a dashboard", ", ".join(sorted(document)), "use a JSON object with `panels`")
    return document


def _inline_library_panels(document: Object) -> None:
    elements = document.get("__elements")
    for owner in _objects(document.get("panels")):
        library = owner.get("libraryPanel")
        if not isinstance(library, dict):
            continue
        uid = library.get("uid")
        element = elements.get(uid) if isinstance(elements, dict) and isinstance(uid, str) else None
        shown = element.get("model") if isinstance(element, dict) else None
        if not isinstance(shown, dict):
            raise _error("a library panel is not in the file", uid, "export the dashboard for sharing externally")
        place = {key: owner[key] for key in ("id", "gridPos") if key in owner}
        owner.clear()
        owner.update(shown | place)


class _References:
    """What the document's names for data sources stand for."""

    def __init__(self, document: Object, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.constants: dict[str, str] = {}
        self._named: dict[str, Source] = {}
        for declared in _list_of_objects(document.get("__inputs")):
            name = declared.get("name")
            if not isinstance(name, str):
                continue
            if declared.get("type") == "datasource":
                self._named[name] = self._of_kind(declared.get("pluginId"))
            else:
                self.constants[name] = str(declared.get("value", ""))
        templating = document.get("templating")
        for variable in _list_of_objects(templating.get("list") if isinstance(templating, dict) else None):
            if variable.get("type") == "datasource" and isinstance(name := variable.get("name"), str):
                self._named[name] = self._of_kind(variable.get("query"))
        required = [item for item in _list_of_objects(document.get("__requires")) if item.get("type") == "datasource"]
        kinds = {source for item in required if (source := self._known(item.get("id"))) is not None}
        kinds |= set(self._named.values())
        self._only = next(iter(kinds)) if len(kinds) == 1 else None

    def variable(self, name: str) -> Source | None:
        """The source behind a template variable of type data source."""
        return self._named.get(name)

    def resolve(self, reference: Json, queries: Sequence[Object]) -> Json:
        """What stands in place of a data source reference; `queries` are those that it serves, as a hint."""
        if isinstance(reference, dict):
            kind, uid = reference.get("type"), reference.get("uid")
            if kind in _OWN_TYPES or uid in _OWN:
                return reference
            chosen = self._named.get(_variable_name(uid))
            if chosen is not None:
                return _reference(chosen)
            return _reference(self._by_name(uid, queries) if kind is None else self._of_kind(kind))
        if reference in _OWN:
            return reference
        return _reference(self._by_name(reference, queries))

    def _by_name(self, name: Json, queries: Sequence[Object]) -> Source:
        if not isinstance(name, str) or name == "default":
            return self._guess(queries) or self._only or self._default(name)
        if variable := _variable_name(name):
            if variable not in self._named:
                raise _error("an input has no data source", name, "declare it in `__inputs` with its plugin")
            return self._named[variable]
        plain = _letters(name)
        for source in self._sources:
            if name == source.uid or any(_letters(kind) in plain for kind in source.types):
                return source
        found = self._guess(queries) or self._only
        if found is None:
            raise _error("a data source is known by its name alone", name, f"name it as one of {self._wanted()}")
        return found

    def _guess(self, queries: Sequence[Object]) -> Source | None:
        """Only Prometheus queries carry `expr` and no other language's mark."""
        if queries and all(isinstance(query.get("expr"), str) for query in queries):
            return self._known("prometheus")
        return None

    def _default(self, name: Json) -> Source:
        if AMP in self._sources:
            return AMP
        raise _error("a panel uses the default data source", name, f"name one of {self._wanted()}")

    def _of_kind(self, kind: Json) -> Source:
        source = self._known(kind)
        if source is None:
            raise _error("a data source is of a kind that is not here", kind, f"use one of {self._wanted()}")
        return source

    def _known(self, kind: Json) -> Source | None:
        return source_of(kind, self._sources) if isinstance(kind, str) else None

    def _wanted(self) -> str:
        return ", ".join(kind for source in self._sources for kind in source.types)


def _variable_name(text: Json) -> str:
    """The name of the variable that a text consists of, or nothing."""
    match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    return (match["braces"] or match["bare"] or match["brackets"]) if match else ""


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _fix_variables(document: Object, references: _References) -> None:
    """A variable that chooses a data source becomes a constant: there is one data source of each kind."""
    templating = document.get("templating")
    for variable in _list_of_objects(templating.get("list") if isinstance(templating, dict) else None):
        name = variable.get("name")
        if variable.get("type") != "datasource" or not isinstance(name, str):
            continue
        source = references.variable(name)
        if source is None:
            continue
        chosen: Json = {"selected": True, "text": source.uid, "value": source.uid}
        variable.clear()
        variable.update(
            {"name": name, "type": "constant", "hide": 2, "query": source.uid, "current": chosen, "options": [chosen]}
        )


def _fix_sources(document: Object, references: _References) -> None:
    for owner in _objects(document):
        queries = _list_of_objects(owner.get("targets"))
        asks = bool(queries) or isinstance(owner.get("expr"), str) or owner.get("type") == "query"
        named = owner.get("datasource")
        if named is not None:
            owner["datasource"] = references.resolve(named, queries or [owner])
        # What asks nothing, a row or a text panel, needs no data source; a query may leave it to its panel, and a panel
        # to its queries.
        elif asks and ("datasource" in owner or not (_is_query(owner) or _all_named(queries))):
            owner["datasource"] = references.resolve(None, queries or [owner])


def _is_query(value: Object) -> bool:
    return "refId" in value


def _all_named(queries: Sequence[Object]) -> bool:
    return bool(queries) and all(query.get("datasource") is not None for query in queries)


def _objects(value: Json) -> Iterator[Object]:
    """Every object in a document, outermost first."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _list_of_objects(value: Json) -> list[Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _replaced(value: Json, constants: dict[str, str]) -> Json:
    """The document with the inputs that are constants put in."""
    if not constants:
        return value
    return _mapped(value, lambda text: _REFERENCE.sub(lambda found: _constant(found, constants), text))


def _constant(found: re.Match[str], constants: dict[str, str]) -> str:
    return constants.get(found["braces"] or found["bare"] or found["brackets"], found[0])


def _mapped(value: Json, change: Callable[[str], str]) -> Json:
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def _reference(source: Source) -> Json:
    return {"type": source.type, "uid": source.uid}


def _uid(name: str) -> str:
    stem = re.split(r"[/\\]", name)[-1].removesuffix(".json")
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    if not slug:
        raise _error("the file's name makes no uid", name, "name it with letters or digits")
    if len(slug) <= _LONGEST_UID:
        return slug
    mark = hashlib.sha256(slug.encode()).hexdigest()[:8]
    return f"{slug[: _LONGEST_UID - len(mark) - 1].rstrip('-')}-{mark}"


def _error(problem: str, got: Json, remedy: str) -> DashboardError:
    shown = got if isinstance(got, str) else json.dumps(got)
    return DashboardError(f"{problem} (got {shown[:120]}); {remedy}")
