"""What the docstring below each field of a model says: the one description of a key, for pages and for schemas."""

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import cast

from documents.model import Model


def descriptions(model: type[Model]) -> dict[str, str]:
    """The description of each field, by its name, in one line; a field that says nothing has that of a base class.

    Reads the source, which takes a millisecond for each class: not for a program that deploys.
    """
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Model) and base is not Model:
            found |= _own(base)
    return found


def _own(model: type[Model]) -> dict[str, str]:
    [definition] = cast("list[ast.ClassDef]", ast.parse(textwrap.dedent(inspect.getsource(model))).body)
    return {
        field.id: " ".join(text.split())
        for statement, below in pairwise(definition.body)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(field := statement.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(text := below.value.value, str)
    }
