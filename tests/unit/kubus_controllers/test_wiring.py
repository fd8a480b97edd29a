"""Which controllers there are."""

from __future__ import annotations

from kubus.model.kinds.builtin import builtin_kinds
from kubus_controllers.settings import ControllersSettings
from kubus_controllers.wiring import all_controllers


def test_every_controller_has_a_name_of_its_own() -> None:
    names = [each.name for each in all_controllers(builtin_kinds(), ControllersSettings(), "CA")]
    assert len(set(names)) == len(names)
    assert all(name.islower() for name in names)


def test_controllers_watch_only_what_is_stored() -> None:
    for controller in all_controllers(builtin_kinds(), ControllersSettings(), "CA", b"KEY"):
        assert not controller.reconciles.stored_as
        assert "watch" in controller.reconciles.verbs
