"""One observed environment on Amazon ECS: the stack's settings, the components they ask for, what it exports."""

from pathlib import Path

import pulumi

import settings as stack_settings
from components import compose, protect_data
from documents.faults import ConfigurationError
from documents.names import Names

names = Names(pulumi.get_project(), pulumi.get_stack())
region = pulumi.Config("aws").require("region")
try:
    settings, imports = stack_settings.load(
        stack_settings.program_config(), names, Path(__file__).parent, stack_settings.encrypted_keys()
    )
    if settings.protect:
        pulumi.runtime.register_stack_transformation(protect_data)
    outputs = compose(names, region, settings, imports)
except ConfigurationError as error:
    raise pulumi.RunError(f"stack {names.stack!r} cannot be deployed:\n{error}") from None
for name, value in outputs.items():
    pulumi.export(name, value)
