"""ReplicationControllers: defaults from the template's labels, and row."""

from __future__ import annotations

from kubus.model.kinds.replicationcontrollers import KIND
from kubus.testing.kinds import created, sent, shown

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def test_selector_and_labels_are_the_templates():
    made = created(KIND, sent(KIND, spec={"template": TEMPLATE}))
    assert made["spec"]["selector"] == {"app": "web"}
    assert made["metadata"]["labels"] == {"app": "web"}
    assert shown(KIND, made)["Selector"] == "app=web"


def test_without_a_template_nothing_is_made_up():
    assert "template" not in created(KIND, sent(KIND))["spec"]
