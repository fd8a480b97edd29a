"""Programs that are missing are said before anything is started, with the line that installs them."""

import pytest

from kubus_cli import demo, programs
from kubus_cli.failures import MachineLacks


def test_each_missing_program_is_named_by_its_package():
    packages = {"no-such-program": "no-such-package", "sh": "dash"}
    with pytest.raises(MachineLacks) as caught:
        programs.find_programs({}, packages)
    assert caught.value.message == "not installed: no-such-package"
    assert caught.value.advice == "sudo apt-get install -y no-such-package"


def test_the_demo_asks_for_what_it_needs_before_it_starts_a_cluster(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "DEMO_PACKAGES", {"no-busybox": "busybox-static"})
    monkeypatch.setattr(demo, "PACKAGES", {})
    with pytest.raises(MachineLacks, match="busybox-static"):
        demo.demo(programs_place(tmp_path), 1, {}, None)
    assert not (tmp_path / "home").exists()


def programs_place(directory):
    return demo.Place("demo", directory / "home")


def test_what_the_demo_shows_is_part_of_the_package():
    package = demo.DEMO_APP.parent
    assert (package / "main.py").exists()
    assert {path.name for path in demo.DEMO_APP.iterdir()} == {"build-image", "hello.yaml"}
    assert b"localhost/kubus-demo:1" in (demo.DEMO_APP / "hello.yaml").read_bytes()
