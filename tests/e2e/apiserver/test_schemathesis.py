"""Requests drawn from our own OpenAPI documents: an independent tool reads them, and asks what they say may be asked.

Nothing may bring a 5xx, and every answer has to be of a content type that its operation names. What streams is left
out: it does not end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from kubus_cli.identities import ADMIN

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

GROUPS = ("api/v1", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1", "apis/example.com/v1")
STREAMS = ("/watch/", "/proxy", "/exec", "/attach", "/portforward", "/log")
METHODS = frozenset(("get", "post", "put", "patch", "delete"))
SECONDS = 30
"""Most of them pass while it reads the documents, on a machine that does other things too."""
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1},
                                    "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
                                    "parts": {"type": "array", "items": {"type": "string"}},
                                },
                            },
                            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


def _ending(item: dict[str, Any]) -> dict[str, Any]:
    """A path's operations without the parameter that would make them streams."""

    def kept(parameters: list[Any]) -> list[Any]:
        return [each for each in parameters if each.get("name") != "watch"]

    operations = {
        key: {**each, "parameters": kept(each.get("parameters", []))} for key, each in item.items() if key in METHODS
    }
    return {**operations, "parameters": kept(item.get("parameters", []))}


async def _document(apiserver) -> dict[str, Any]:
    """The documents of all groups as one."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for group in GROUPS:
        result = await apiserver.kubectl("get", "--raw", f"/openapi/v3/{group}")
        assert result.code == 0, result.err
        document = json.loads(result.out)
        for path, operations in document["paths"].items():
            if not any(each in path for each in STREAMS):
                paths[path] = _ending(operations)
        schemas |= document["components"]["schemas"]
    assert len(paths) > 80
    return {"openapi": "3.0.0", "info": document["info"], "paths": paths, "components": {"schemas": schemas}}


async def test_whatever_the_documents_allow_is_answered_as_they_say(apiserver, tmp_path: Path) -> None:
    result = await apiserver.kubectl("create", "-f", "-", stdin=json.dumps(DEFINITION))
    assert result.code == 0, result.err
    waited = await apiserver.kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=120s")
    assert waited.code == 0, waited.err
    file, home = tmp_path / "openapi.json", tmp_path / "schemathesis"
    home.mkdir()
    file.write_text(json.dumps(await _document(apiserver)))
    options = {
        "url": f"https://127.0.0.1:{apiserver.port}",
        "tls-verify": str(apiserver.directory / "ca.crt"),
        "request-cert": str(apiserver.directory / f"{ADMIN.file}.crt"),
        "request-cert-key": str(apiserver.directory / f"{ADMIN.file}.key"),
        "phases": "fuzzing",
        "max-time": str(SECONDS),
        "max-examples": "1",
        "checks": "not_a_server_error,content_type_conformance",
        "request-timeout": "10",
        "mode": "all",
        "seed": "1",
        "workers": "2",
        "warnings": "off",
        "generation-database": "none",
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", str(file), "--no-color", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=home,
        env={**os.environ, "HOME": str(home)},
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()[-6000:]
    assert b"No issues found" in told
