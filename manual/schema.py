"""The JSON schema of a model, with what the docstrings below its fields say."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from documents.described import descriptions
from documents.model import Model


class _Described(GenerateJsonSchema):
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        model: type[Model] = schema["cls"]
        for name, text in descriptions(model).items():
            made["properties"][model.model_fields[name].alias or name]["description"] = text
        return made


def schema(model: type[Model]) -> dict[str, Any]:
    """The schema of what a user writes for a model, under the names of the stack file."""
    return model.model_json_schema(by_alias=True, schema_generator=_Described)
