"""The `kubus` command. Each command's module is imported when it is called: start-up time is part of a cold start."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from kubus_cli import advice
from kubus_cli.clusters import Cluster
from kubus_cli.failures import Failure, MachineLacks
from kubus_cli.places import Place, existing, place
from kubus_cli.steps import Steps

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A Kubernetes control plane on a bus. Start with: kubus up",
)

nodes_app = typer.Typer(no_args_is_help=True, help="The nodes of a cluster.")
app.add_typer(nodes_app, name="node")

Name = Annotated[str, typer.Option("--name", help="Which cluster; also its kubectl context.", show_default="kubus")]
Home = Annotated[str, typer.Option("--home", help="Where its data is.", show_default="/var/lib/kubus")]


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        _write(f"kubus {version('kubus')}\n")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """A Kubernetes control plane on a bus. Start with: kubus up."""


def _place(name: str, home: str) -> Place:
    return place(name, home, os.environ)


@app.command()
def up(
    nodes: Annotated[int, typer.Option(help="Nodes to have at least.", min=0, show_default="1")] = 0,
    port: Annotated[int, typer.Option(help="The API's port on 127.0.0.1.", min=0, max=65535, show_default="6443")] = 0,
    *,
    apiservers: Annotated[int, typer.Option(help="Apiservers to have at least, on one port.", min=1)] = 1,
    cluster_dns: Annotated[str, typer.Option(help="Nameserver of pods.", show_default="the machine's")] = "",
    cluster_domain: Annotated[str, typer.Option(help="Domain of Services' names.", show_default="cluster.local")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until every component is ready.")] = True,
    name: Name = "",
    home: Home = "",
) -> None:
    """Start a cluster on this machine, or add nodes to it."""
    from kubus_cli import up as command

    options = command.UpOptions(nodes, port, apiservers, cluster_dns, cluster_domain, wait)
    command.up(_place(name, home), options, os.environ, Steps())


@app.command()
def down(
    purge: Annotated[bool, typer.Option("--purge", help="Remove its data too.")] = False,
    name: Name = "",
    home: Home = "",
) -> None:
    """Stop the cluster; containers, networks and processes go, data stays."""
    from kubus_cli import down as command

    command.down(_place(name, home), purge=purge, environ=os.environ, steps=Steps())


@nodes_app.command("remove")
def remove_node(
    node: Annotated[str, typer.Argument(help="As kubectl names it.")], name: Name = "", home: Home = ""
) -> None:
    """Take a node out of a cluster: its pods end, its Node, network and data go."""
    from kubus_cli import node_removal

    node_removal.remove_node(_place(name, home), node, os.environ, Steps())


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


@app.command()
def logs(
    component: Annotated[str, typer.Argument(help="As `kubus status` names them; supervisor and forkserver too.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many lines to begin with.", min=0)] = 100,
    name: Name = "",
    home: Home = "",
) -> None:
    """The log of a component."""
    from kubus_cli import logs as command

    path = command.log_of(existing(_place(name, home)), component)
    command.show(path, lines, follow=follow, write=_write)


@app.command()
def restart(component: str, name: Name = "", home: Home = "") -> None:
    """End a component in order; the supervisor starts it again."""
    _signal(_place(name, home), component, "SIGTERM")


@app.command()
def kill(component: str, name: Name = "", home: Home = "") -> None:
    """Kill a component as a crash would; the supervisor starts it again."""
    _signal(_place(name, home), component, "SIGKILL")


def _signal(where: Place, component: str, signal: str) -> None:
    from kubus_cli import control

    control.ask(existing(where), {"do": "restart", "instance": component, "signal": signal})


@app.command()
def tap(
    subject: Annotated[str, typer.Argument(help="pods, deploy/web, ns/default, or a NATS subject.")] = "",
    *,
    since: Annotated[str, typer.Option(help="Begin in the past: 5m, 1h30m, or a revision: r1043.")] = "",
    count: Annotated[int, typer.Option("--count", help="End after so many events.", min=0)] = 0,
    output: Annotated[str, typer.Option("-o", "--output", help="json: one text an event.")] = "",
    namespace: Annotated[str, typer.Option("-n", "--namespace", help="Only this namespace.")] = "",
    name: Name = "",
    home: Home = "",
) -> None:
    """Show what happens in the cluster: every change, who made it, and what led to it."""
    from kubus_cli import tapping

    try:
        options = tapping.TapOptions(since, count, output, namespace)
        tapping.run(_place(name, home), os.environ, subject, options)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the lines has gone; nothing is left to be said


@app.command()
def pki(
    directory: str,
    node: Annotated[list[str] | None, typer.Option(help="A node whose kubelet gets a certificate.")] = None,
    host: Annotated[list[str] | None, typer.Option(help="A name or address under which servers are reached.")] = None,
    service_cidr: Annotated[str, typer.Option(help="ClusterIPs; the first is the apiserver's.")] = "10.96.0.0/16",
    server: Annotated[str, typer.Option(help="The API's URL in the kubeconfig.")] = "https://127.0.0.1:6443",
) -> None:
    """Make (or renew) every certificate of a cluster, nats-server's configuration and a kubeconfig in a directory."""
    from kubus_cli import pki_directory

    made = pki_directory.fill(directory, node or [], host or [], service_cidr, server)
    Steps().done(f"certificates: {', '.join(made) or 'all good'}")


@app.command()
def kubeconfig(
    user: Annotated[str, typer.Option("--user", help="Who: the certificate's common name.")],
    group: Annotated[list[str] | None, typer.Option("--group", help="A group of theirs; may be repeated.")] = None,
    *,
    days: Annotated[int, typer.Option(help="How long the certificate is good.")] = 30,
    output: Annotated[str, typer.Option("-o", "--output", help="A file, instead of standard output.")] = "",
    name: Name = "",
    home: Home = "",
) -> None:
    """Issue credentials for a user of the API, as a kubeconfig."""
    from pathlib import Path

    from kubus.service import SystemClock
    from kubus_cli import credentials, kubeconfigs

    cluster = existing(_place(name, home))
    made = credentials.kubeconfig_of(cluster, user, group or [], days, SystemClock().now())
    if output:
        kubeconfigs.write(Path(output), made)
    else:
        _write(credentials.as_text(made))


@app.command()
def rotate_tokens(name: Name = "", home: Home = "") -> None:
    """Sign ServiceAccount tokens with a new key; those of the last one stay good until they expire."""
    from kubus_cli import pki

    cluster = existing(_place(name, home))
    pki.ensure_token_keys(cluster.pki_dir, renew=True)
    _restart_apiservers(cluster)
    Steps().done("ServiceAccount tokens are signed with a new key")


@app.command()
def rotate_encryption(name: Name = "", home: Home = "") -> None:
    """Seal Secrets in etcd with a new key, those that are there too."""
    from kubus_cli import pki

    cluster = existing(_place(name, home))
    pki.ensure_encryption_keys(cluster.pki_dir, renew=True)
    _restart_apiservers(cluster)
    Steps().done("Secrets are sealed with a new key")


def _restart_apiservers(cluster: Cluster) -> None:
    from kubus_cli import components, control

    for instance in components.apiservers(cluster):
        control.ask(cluster, {"do": "restart", "instance": instance, "signal": "SIGTERM"})


@app.command()
def demo(
    nodes: Annotated[int, typer.Option(help="Nodes to have at least.", min=1)] = 1,
    name: Name = "",
    home: Home = "",
) -> None:
    """Start a cluster, run an app on it, break it, watch it heal."""
    from kubus_cli.demo import demo as run

    run(_place(name, home), nodes, os.environ, Steps())


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    """Run a command; failures become a sentence, an advice and an exit code."""
    try:
        app()
    except Failure as failure:
        _report(failure.message, failure.advice)
        raise SystemExit(failure.exit_code) from None
    except OSError as error:
        shown = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        _report(shown, advice.for_system_error(error, sys.argv[1:], root=advice.has_root()))
        raise SystemExit(MachineLacks.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _report(message: str, helps: str) -> None:
    sys.stderr.write(f"kubus: {message}\n")
    if helps:
        sys.stderr.write(f"  → {helps}\n")


if __name__ == "__main__":
    main()
