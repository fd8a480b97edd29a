"""The image that deploy/Dockerfile describes, built where no registry can be reached: apt and PyPI are enough.

Its base comes from mmdebstrap, with the machine's mirror, certificate authorities and pip indexes in it. It already
holds what the Dockerfile would install, for one run of dpkg takes half as long as two. Both images are named by what
went into them, so a second run builds nothing.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
BASE = "localhost/kubus-compose-base"
IMAGE = "localhost/kubus-compose"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class NoBase(Exception):
    """No base image can be made on this machine."""


def built(environ: Mapping[str, str]) -> str:
    """The name of the image, built where there is none yet.

    Raises:
        NoBase: the packages of the base image cannot be fetched.
    """
    base = environ.get("BASE_IMAGE") or _base(environ)
    name = f"{IMAGE}:{_digest([base.encode(), *_sources()])}"
    if not _exists(name, environ):
        _podman("build", "--quiet", "--network=host", f"--file={DOCKERFILE}", f"--build-arg=BASE_IMAGE={base}",
                f"--tag={name}", str(ROOT), environ=environ)  # fmt: skip
        _forget_others(IMAGE, name, environ)
    return name


def _base(environ: Mapping[str, str]) -> str:
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    settings = _pip_settings()
    name = f"{BASE}:{_digest([codename, *_packages(), *settings, AUTHORITIES.read_bytes()])}"
    if not _exists(name, environ):
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch, "root.tar")
            _bootstrap(codename, root)
            changes = [f"--change=ENV {each}" for each in settings]
            _podman("import", "--quiet", *changes, str(root), name, environ=environ)
        _forget_others(BASE, name, environ)
    return name


def _bootstrap(codename: str, root: Path) -> None:
    components = "main,universe" if platform.freedesktop_os_release()["ID"] == "ubuntu" else "main"
    command = ["mmdebstrap", "--variant=minbase", f"--components={components}", f"--include={','.join(_packages())}",
               f"--customize-hook=upload {AUTHORITIES} /etc/ssl/machine.crt", codename, str(root)]  # fmt: skip
    done = subprocess.run([*command, *_mirror(codename)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoBase(f"mmdebstrap ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _mirror(codename: str) -> list[str]:
    """Where this machine gets its packages; none where it does not say."""
    wanted = ["Created-By: Packages", f"Codename: {codename}", "Component: main"]
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted], capture_output=True, text=True, check=False
    )
    return done.stdout.split()[:1]


def _packages() -> list[str]:
    """What the Dockerfile installs."""
    found = re.search(r"--no-install-recommends \\\n(.*?)&&", DOCKERFILE.read_text(), re.DOTALL)
    assert found is not None, f"{DOCKERFILE} installs no packages?"
    return [each for each in found[1].split() if each != "\\"]


def _pip_settings() -> list[str]:
    """Variables with which pip in the image fetches from where pip on this machine does, and trusts whom it trusts."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found = re.findall(r"\.(index-url|extra-index-url)='(https?://[^']+)'", done.stdout)
    return ["PIP_CERT=/etc/ssl/machine.crt", *(f"PIP_{key.upper().replace('-', '_')}={url}" for key, url in found)]


def _sources() -> Iterable[bytes]:
    """What the Dockerfile copies, and itself."""
    trees = (path for tree in ("services", "shared") for path in (ROOT / tree).rglob("*") if path.is_file())
    copied = (ROOT / name for name in ("pyproject.toml", "requirements/runtime.txt"))
    files = [DOCKERFILE, *copied, *(path for path in trees if path.suffix != ".pyc")]
    for path in sorted(files):
        yield os.fsencode(path.relative_to(ROOT))
        yield path.read_bytes()


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def _exists(name: str, environ: Mapping[str, str]) -> bool:
    return subprocess.run(["podman", "image", "exists", name], env=environ, check=False).returncode == 0


def _forget_others(repository: str, name: str, environ: Mapping[str, str]) -> None:
    """Remove the images of former runs; Podman keeps those that are in use."""
    listed = _podman("images", "--format={{.Repository}}:{{.Tag}}", repository, environ=environ)
    others = [each for each in listed.split() if each.startswith(f"{repository}:") and each != name]
    if others:
        subprocess.run(["podman", "rmi", *others], env=environ, capture_output=True, check=False)


def _podman(*arguments: str, environ: Mapping[str, str]) -> str:
    done = subprocess.run(["podman", *arguments], env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"podman {' '.join(arguments)}\nended with {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout
