"""What a release of ADOT has."""

from documents import adot


def test_a_component_that_adot_lacks_is_named() -> None:
    document = {
        "extensions": {"health_check": {}},
        "receivers": {"otlp": {}, "otlp/other": {}},
        "processors": {"batch/traces": {}, "transform/x": {}},
        "connectors": {"spanmetrics": None},
        "service": {},
    }
    assert adot.unknown_components(document) == ["processors.transform/x", "connectors.spanmetrics"]
