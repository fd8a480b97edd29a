"""The `kubus` command. Each command's module is imported when it is called: start-up time is part of a cold start."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kubus_cli.failures import Failure
from kubus_cli.places import Place, existing, place
from kubus_cli.steps import Steps

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Kubernetes control plane on a bus. Start with: kubus up",
)

Name = Annotated[str, typer.Option("--name", help="Which cluster; also its kubectl context.", show_default="kubus")]
Home = Annotated[str, typer.Option("--home", help="Where its data is.", show_default="/var/lib/kubus")]


def _place(name: str, home: str) -> Place:
    return place(name, home, os.environ)


@app.command()
def up(
    nodes: Annotated[int, typer.Option(help="Nodes to have at least.", min=0, show_default="1")] = 0,
    port: Annotated[int, typer.Option(help="The API's port on 127.0.0.1.", min=0, max=65535, show_default="6443")] = 0,
    wait: Annotated[bool, typer.Option(help="Wait until every component is ready.")] = True,
    name: Name = "",
    home: Home = "",
) -> None:
    """Start a cluster on this machine, or add nodes to it."""
    from kubus_cli import up as command

    command.up(_place(name, home), nodes=nodes, port=port, wait=wait, environ=os.environ, steps=Steps())


@app.command()
def down(
    purge: Annotated[bool, typer.Option("--purge", help="Remove its data too.")] = False,
    name: Name = "",
    home: Home = "",
) -> None:
    """Stop the cluster; containers, networks and processes go, data stays."""
    from kubus_cli import down as command

    command.down(_place(name, home), purge=purge, environ=os.environ, steps=Steps())


@app.command()
def status(
    output: Annotated[str, typer.Option("-o", "--output", help="json, or a table.")] = "",
    name: Name = "",
    home: Home = "",
) -> None:
    """What runs, for how long, how often restarted, with how much memory."""
    from kubus_cli import status as command

    cluster = existing(_place(name, home))
    found = command.collect(cluster)
    sys.stdout.write(command.as_json(found) if output == "json" else command.as_table(found))
    if not found["ready"]:
        raise typer.Exit(1)


def main() -> None:
    """Run a command; failures become a sentence, an advice and an exit code."""
    try:
        app()
    except Failure as failure:
        sys.stderr.write(f"kubus: {failure.message}\n")
        if failure.advice:
            sys.stderr.write(f"  → {failure.advice}\n")
        raise SystemExit(failure.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
