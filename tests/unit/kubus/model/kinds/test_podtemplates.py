"""PodTemplates: rules and row."""

from __future__ import annotations

from kubus.model.kinds.podtemplates import KIND
from kubus.testing.kinds import complaints, created, sent, shown


def test_a_template_is_checked_and_shown():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    made = created(KIND, sent(KIND, template=template))
    assert complaints(KIND, made) == []
    assert shown(KIND, made) == {"Name": "x", "Containers": "c", "Images": "i", "Pod Labels": "a=b"}
    assert complaints(KIND, created(KIND, sent(KIND))) == ["template.spec.containers: Required value"]
