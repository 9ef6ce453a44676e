"""The page of the component package, on a small schema."""

from manual import components

SCHEMA = {
    "name": "toys",
    "resources": {
        "toys:index:Car": {
            "description": "A car;\ndocs/tasks.md.",
            "inputProperties": {
                "color": {"$ref": "#/types/toys:index:Color", "description": "Of it."},
                "wheels": {"type": "array", "items": {"$ref": "#/types/toys:index:Wheel"}, "description": "All."},
                "tags": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Words."},
                "either": {"oneOf": [{"type": "string"}, {"$ref": "#/types/toys:index:Wheel"}]},
            },
            "requiredInputs": ["color"],
            "properties": {"speed": {"type": "number", "description": "Now."}, "on": {"type": "boolean"}},
            "required": ["speed"],
        }
    },
    "types": {
        "toys:index:Color": {"type": "string", "enum": [{"value": "red"}, {"value": "blue"}]},
        "toys:index:Wheel": {"type": "object", "properties": {}},
    },
}


def test_the_page_of_a_package() -> None:
    page = components.page(SCHEMA, ["wheelsn", "tags"])
    assert page[page.index("## `toys") :] == (
        "## `toys:index:Car`\n"
        "\n"
        "A car;\n"
        "[tasks](../tasks.md).\n"
        "\n"
        "### Inputs\n"
        "\n"
        "| input | type |  | meaning |\n"
        "|---|---|---|---|\n"
        "| `color` | `red`, `blue` | required | Of it. |\n"
        "| [`wheels`](configuration.md#wheelsn) | list of maps |  | All. |\n"
        "| [`tags`](configuration.md#tags) | map of texts |  | Words. |\n"
        "| `either` | text or map |  |  |\n"
        "\n"
        "### Outputs\n"
        "\n"
        "| output | type |  | meaning |\n"
        "|---|---|---|---|\n"
        "| `speed` | number | always there | Now. |\n"
        "| `on` | true or false |  |  |\n"
    )
