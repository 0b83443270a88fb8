"""Writes ``types.py`` from the JSON in which Asterisk describes its own interface (``/ari/api-docs``).

Run it against a node whenever the version of Asterisk moves; ``tests/contract/test_ari_types.py`` says when::

    python -m callcenter.adapters.ari.generate http://127.0.0.1:8088/ari USER PASSWORD
"""

import keyword
import sys
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from json import loads
from pathlib import Path
from typing import TypedDict, cast


class _Property(TypedDict, total=False):
    type: str
    required: bool


class _Model(TypedDict, total=False):
    id: str
    properties: Mapping[str, _Property]
    subTypes: Sequence[str]


class _Operation(TypedDict):
    httpMethod: str
    nickname: str


class _Api(TypedDict):
    path: str
    operations: Sequence[_Operation]


class Resource(TypedDict, total=False):
    """One of Asterisk's documents: the operations of a resource, and the models they speak of."""

    apis: Sequence[_Api]
    models: Mapping[str, _Model]


PLAIN = {
    "string": "str",
    "Date": "str",
    "int": "int",
    "long": "int",
    "double": "float",
    "boolean": "bool",
    "object": "dict[str, object]",
    "binary": "str",
}
MADE = Path(__file__).with_name("types.py")
HEAD = '''"""What Asterisk says and understands over ARI, from its own JSON.

Written by ``callcenter.adapters.ari.generate``: change that, not this.
"""

from typing import NamedTuple, NotRequired, TypedDict


class Operation(NamedTuple):
    """An HTTP method and a path below ``/ari``, with the names of ids in braces."""

    method: str
    path: str
'''


def _type(name: str) -> str:
    if name.startswith("List["):
        return f"list[{_type(name.removeprefix('List[').removesuffix(']'))}]"
    return PLAIN.get(name, name)


def _fields(model: _Model) -> Iterator[tuple[str, str]]:
    for name, spec in model.get("properties", {}).items():
        kind = _type(spec["type"])
        yield name, kind if spec.get("required") else f"NotRequired[{kind}]"


def _typed_dict(model: _Model, base: str) -> str:
    name, fields = model["id"], list(_fields(model))
    if any(keyword.iskeyword(field) for field, _ in fields):
        inside = "".join(f'        "{field}": {kind},\n' for field, kind in fields)
        return f'{name} = TypedDict(\n    "{name}",\n    {{\n{inside}    }},\n)\n'
    inside = "".join(f"    {field}: {kind}\n" for field, kind in fields) or "    pass\n"
    return f"class {name}({base}):\n{inside}"


def _in_order(models: Mapping[str, _Model]) -> Iterator[tuple[str, _Model]]:
    """Every model after its base and after all it mentions, with its base."""
    bases = {child: name for name, model in models.items() for child in model.get("subTypes", ())}
    done: set[str] = set()

    def take(name: str) -> Iterator[tuple[str, _Model]]:
        if name in done or name not in models:
            return
        done.add(name)
        base = bases.get(name, "TypedDict")
        yield from take(base)
        for spec in models[name].get("properties", {}).values():
            yield from take(spec["type"].removeprefix("List[").removesuffix("]"))
        yield base, models[name]

    for name in sorted(models):
        yield from take(name)


def _operations(name: str, resource: Resource) -> str:
    inside = "".join(
        f'    {operation["nickname"]} = Operation("{operation["httpMethod"]}", "{api["path"].removeprefix("/")}")\n'
        for api in resource.get("apis", ())
        for operation in api["operations"]
        if operation["httpMethod"] in {"GET", "POST", "PUT", "DELETE"}
    )
    return f"class {name}:\n{inside}"


def generate(resources: Mapping[str, Resource]) -> str:
    """The text of ``types.py``: all models as TypedDicts, all operations by resource and nickname."""
    models = {name: model for resource in resources.values() for name, model in resource.get("models", {}).items()}
    parts = [_typed_dict(model, base) for base, model in _in_order(models)]
    parts += [_operations(name, resources[name]) for name in sorted(resources) if resources[name].get("apis")]
    return HEAD + "".join(f"\n\n{part}" for part in parts)


def served(base_url: str, user: str, password: str) -> Mapping[str, Resource]:
    """The documents that a running node serves."""
    token = b64encode(f"{user}:{password}".encode()).decode()

    def get(path: str) -> object:
        request = urllib.request.Request(f"{base_url}/api-docs/{path}", headers={"Authorization": f"Basic {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return loads(answer.read())

    index = cast(Resource, get("resources.json"))
    names = [api["path"].rpartition("/")[2].removesuffix(".{format}") for api in index.get("apis", ())]
    return {name: cast(Resource, get(f"{name}.json")) for name in names}


if __name__ == "__main__":
    MADE.write_text(generate(served(*sys.argv[1:4])))
