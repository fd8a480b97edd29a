"""What pods share."""

from __future__ import annotations

from typing import Any

from kubus_scheduler.templates import Templates

SPREAD = {"topologyKey": "zone", "maxSkew": 1, "labelSelector": {}, "matchLabelKeys": ["hash"]}


def test_pods_alike_share_a_template_whatever_their_names_and_labels(build: Any) -> None:
    templates = Templates()
    one = templates.pod(build.pod("a", labels={"index": "0"}, owner="rs"))
    other = templates.pod(build.pod("b", labels={"index": "1"}, owner="rs"))
    assert one.template is other.template
    assert not one.template.topological


def test_namespaces_part_templates_only_if_a_term_is_about_the_own_one(build: Any) -> None:
    templates = Templates()
    plain = [templates.pod(build.pod("a", namespace=each)).template for each in ("x", "y")]
    spread = [
        templates.pod(build.pod("a", namespace=each, topologySpreadConstraints=[SPREAD])).template
        for each in ("x", "y")
    ]
    assert plain[0] is plain[1]
    assert spread[0] is not spread[1]


def test_requests_and_ports_part_templates_and_owners_do_not(build: Any) -> None:
    templates = Templates()
    pods = [build.pod("a"), build.pod("a", owner="x"), build.pod("a", cpu="1"), build.pod("a", ports=[80])]
    assert len({templates.pod(pod).template for pod in pods}) == 3
    assert [templates.pod(pod).owner for pod in pods] == ["", "x", "", ""]


def test_match_label_keys_take_the_pods_own_value(build: Any) -> None:
    templates = Templates()
    one, other = (
        templates.pod(build.pod("a", labels={"hash": value}, topologySpreadConstraints=[SPREAD])) for value in "12"
    )
    assert one.template is not other.template
    (rule,) = one.template.spread
    assert rule.selector.picks("default", {"hash": "1"}, {})
    assert not rule.selector.picks("default", {"hash": "2"}, {})
    assert one.template.mentioned == {"hash"}


def test_a_pod_says_where_it_is_and_what_revision_it_has(build: Any) -> None:
    obj = build.pod("a", node="n", priority=7)
    pod = Templates().pod(obj)
    assert (pod.node, pod.priority, pod.revision) == ("n", 7, int(obj["metadata"]["resourceVersion"]))
    assert not pod.deleting
