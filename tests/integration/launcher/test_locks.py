"""The lists of packages that the launcher installs: all of them, each with version and checksums, and nothing from elsewhere."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHECKOUT = Path(__file__).parents[3]
LOCKS = ("studio", "test", "fluidsynth")


def entries(name: str) -> list[tuple[Requirement, list[str]]]:
    """(requirement, its checksums) of a list."""
    text = (CHECKOUT / "requirements" / f"{name}.lock").read_text(encoding="ascii")
    joined = re.sub(r"\\\n\s*", "", text).splitlines()
    found = []
    for line in joined:
        if line and not line.startswith("#"):
            requirement, *hashes = re.split(r"\s*--hash=", line)
            found.append((Requirement(requirement), hashes))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_its_checksums(name: str) -> None:
    assert entries(name)
    for requirement, hashes in entries(name):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), requirement


def test_everything_that_is_needed_is_listed_in_a_fitting_version() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions: dict[str, list[Version]] = defaultdict(list)
    for name in ("studio", "test"):
        wanted = project["dependencies"] if name == "studio" else project["optional-dependencies"]["test"]
        for requirement, _ in entries(name):
            versions[canonicalize_name(requirement.name)].append(Version(str(requirement.specifier)[2:]))
        for line in wanted:
            needed = Requirement(line)
            listed = versions[canonicalize_name(needed.name)]
            assert listed and all(needed.specifier.contains(version) for version in listed), f"{line}: run .ci/lock"


def test_the_launchers_install_nothing_but_these_lists() -> None:
    shell = (CHECKOUT / "launcher.sh").read_text(encoding="utf-8")
    batch = (CHECKOUT / "launcher.bat").read_text(encoding="ascii")
    assert shell.count("--require-hashes") == 1 and batch.count("--require-hashes") == 3
    installs = re.findall(r"(?:pip_install|install_locked|call :pip)\b(?!\(\)) (?!failed)([^\n|;&]+)", shell + batch)
    # llama-cpp-python alone comes from its author's index, where wheels for each processor are published without a list.
    allowed = ("--require-hashes", "--no-deps", "studio", "test", "--only-binary :all:", '"$LLAMA_CPP', '"%LLAMA_CPP')
    assert len(installs) >= 8
    assert [each for each in installs if not each.strip().startswith(allowed)] == []
