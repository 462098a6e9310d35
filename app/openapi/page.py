"""The description as a page to browse: no script, nothing fetched from elsewhere."""

import json
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

_STYLE: Final = files("app.openapi").joinpath("page.css").read_text()


def render(document: dict[str, Any], *, source: str) -> str:
    """Return the page of a document that is served at `source`."""
    operations = [
        (operation["tags"][0], path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    sections = [
        f"<h2>{escape(tag)}</h2>" + "".join(_operation(*operation[1:]) for operation in tagged)
        for tag, tagged in groupby(sorted(operations, key=lambda o: (o[0], o[1])), key=lambda o: o[0])
    ]
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    )
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])} "
        f'The <a href="{escape(source)}">OpenAPI document</a> has all of this for programs.</p>'
        f"{''.join(sections)}<h2>Schemas</h2>{schemas}</body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(map(_parameter, operation["parameters"]))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])}</td><td>{_answer(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    name, needs = escape(operation["operationId"]), escape(operation["x-permission"])
    return (
        f'<details id="{name}"><summary><span class="method {method}">{method}</span>'
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"<p>{escape(operation.get('description', ''))} Needs <code>{needs}</code>.</p>"
        + (f"<table>{rows}</table>" if rows else "")
        + (f"<p>Body: {_link(body)}</p>" if body else "")
        + f"<table>{answers}</table></details>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{parameter['in']}</td>"
        f"<td>{escape(_kind(parameter['schema']))}</td>"
        f"<td>{escape(parameter.get('description', ''))}</td></tr>"
    )


def _answer(answer: dict[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return _link(schema) if schema else ""


def _link(schema: dict[str, Any]) -> str:
    if "oneOf" in schema:
        return " or ".join(map(_link, schema["oneOf"]))
    name = _kind(schema)
    target = name.removesuffix("[]")
    return f'<a href="#schema-{escape(target)}">{escape(name)}</a>' if target[:1].isupper() else escape(name)


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"{_kind(schema.get('items', {}))}[]"
    return str(schema.get("type", "any of several" if "anyOf" in schema else "any"))


def _schema(name: str, schema: dict[str, Any]) -> str:
    shown, text = escape(name), escape(json.dumps(schema, indent=2))
    return f'<details id="schema-{shown}"><summary><code>{shown}</code></summary><pre>{text}</pre></details>'
