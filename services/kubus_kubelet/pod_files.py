"""resolv.conf, hosts and hostname of a pod: pure texts, and one function that writes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kubus.model.objects import Object, name_of, namespace_of
from kubus_kubelet.container_specs import Mount
from kubus_kubelet.settings import KubeletSettings

HOSTS_HEAD = "# Kubernetes-managed hosts file.\n"
NAMESERVERS_MAX = 3
SHARED = ("hosts", "resolv.conf", "hostname")
"""Files of /etc that all containers of a pod have in common."""


def hostname(pod: Object, node_name: str) -> str:
    """The pod's host name: its own, at most 63 characters."""
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        return node_name
    return str(spec.get("hostname") or name_of(pod))[:63].rstrip("-.")


def fully_qualified(pod: Object, name: str, domain: str) -> str:
    """The pod's name in DNS where it has a subdomain, else ""."""
    subdomain = pod["spec"].get("subdomain")
    return f"{name}.{subdomain}.{namespace_of(pod)}.svc.{domain}" if subdomain else ""


def hosts_text(pod: Object, address: str, name: str, domain: str, node_hosts: str) -> str:
    """The text of /etc/hosts."""
    if pod["spec"].get("hostNetwork"):
        text = "# Kubernetes-managed hosts file (host network).\n" + node_hosts
    else:
        long = fully_qualified(pod, name, domain)
        names = f"{long}\t{name}" if long else name
        text = (
            HOSTS_HEAD
            + "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
            + "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
            + f"{address}\t{names}\n"
        )
    aliases = pod["spec"].get("hostAliases") or ()
    if aliases:
        text += "\n# Entries added by HostAliases.\n"
        text += "".join(f"{each['ip']}\t{'	'.join(each.get('hostnames') or ())}\n" for each in aliases)
    return text


def resolver_text(pod: Object, node_resolver: str, dns: str, domain: str) -> str:
    """The text of /etc/resolv.conf, by dnsPolicy and dnsConfig."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    own = parse_resolver(node_resolver)
    servers: list[str]
    searches: list[str]
    options: list[str]
    if policy == "None":
        servers, searches, options = [], [], []
    elif policy == "Default" or not dns or (spec.get("hostNetwork") and policy != "ClusterFirstWithHostNet"):
        servers, searches, options = own
    else:
        searches = [f"{namespace_of(pod)}.svc.{domain}", f"svc.{domain}", domain, *own[1]]
        servers, options = [dns], ["ndots:5"]
    config = spec.get("dnsConfig") or {}
    servers = list(dict.fromkeys([*servers, *(config.get("nameservers") or ())]))[:NAMESERVERS_MAX]
    searches = list(dict.fromkeys([*searches, *(config.get("searches") or ())]))
    options = _merged_options(options, config.get("options") or ())
    lines = [f"nameserver {each}" for each in servers]
    if searches:
        lines.insert(0, "search " + " ".join(searches))
    if options:
        lines.append("options " + " ".join(options))
    return "\n".join(lines) + "\n"


def _merged_options(options: list[str], given: Iterable[Object]) -> list[str]:
    named = {option.partition(":")[0]: option for option in options}
    for each in given:
        named[each["name"]] = f"{each['name']}:{each['value']}" if each.get("value") is not None else each["name"]
    return list(named.values())


def parse_resolver(text: str) -> tuple[list[str], list[str], list[str]]:
    """(nameservers, searches, options) of a resolv.conf."""
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver":
            servers.append(words[1])
        elif words[0] == "search":
            searches = words[1:]
        elif words[0] == "options":
            options = words[1:]
    return servers, searches, options


def node_file(name: str) -> str:
    """The text of a file of the node's own /etc; "" where there is none."""
    try:
        return Path("/etc", name).read_text()
    except OSError:
        return ""


def are_written(directory: Path) -> bool:
    """Whether the files that containers share are there."""
    return all((directory / "etc" / name).is_file() for name in SHARED)


def write_all(directory: Path, pod: Object, address: str, settings: KubeletSettings) -> None:
    """Write hosts, resolv.conf and hostname of a pod into its directory."""
    name = hostname(pod, settings.node_name)
    resolver = resolver_text(pod, node_file("resolv.conf"), settings.cluster_dns, settings.cluster_domain)
    texts = {
        "hosts": hosts_text(pod, address, name, settings.cluster_domain, node_file("hosts")),
        "resolv.conf": resolver,
        "hostname": name + "\n",
    }
    write(directory, texts)


def write(directory: Path, texts: dict[str, str]) -> None:
    """Write the files that containers share into the pod's directory, in place: they are mounted already."""
    (directory / "etc").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / "etc" / name).write_text(text)


def mounts(directory: Path, container: Object) -> list[Mount]:
    """The mounts of those files, but where the container mounts something there itself."""
    taken = {each["mountPath"] for each in container.get("volumeMounts") or ()}
    wanted = {name: f"/etc/{name}" for name in SHARED}
    return [
        Mount(str(directory / "etc" / name), destination)
        for name, destination in wanted.items()
        if destination not in taken
    ]
