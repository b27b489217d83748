"""Which version of which repository a project remembers: one rule for all, and wheels that are built from a fork."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from helpers import CATALOGUE, PATTERNS, ROOT, answers, commit, git, run
from serverless_templates.git import DESCRIBE, VERSION_TAG, version_of
from test_cli import new_project, pip_install, repository_to_install
from ways import WAYS, Request, create

PATTERN = PATTERNS[0]
# Tags on one commit that are no versions, or are one.
TAGS = {
    "v1.2.3": True,
    "v10.0.12": True,
    "v1": False,
    "latest": False,
    "release-1.2.3": False,
    "v1.2.3-rc1": False,
    "v1.2.3.4": False,
    "v1.v2.3": False,
    "v1.2": False,
}


@pytest.mark.parametrize(("tag", "is_version"), TAGS.items())
def test_all_that_reads_versions_agrees_on_which_tag_is_one(
    tag: str, templates: Path, tmp_path: Path, *, is_version: bool
) -> None:
    repository = tmp_path / "templates"
    git(tmp_path, "clone", "--quiet", str(templates), "templates")
    git(repository, "tag", "--delete", "v0.1.0")
    git(repository, "tag", tag)
    head = git(repository, "rev-parse", "HEAD")

    expected = tag if is_version else head
    archive = repository / ".git_archival.txt"
    packed = git(repository, "archive", "--format=tar", "HEAD", archive.name)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools_scm"]

    assert expected.startswith(version_of(repository) or "none")
    assert bool(VERSION_TAG.fullmatch(tag)) is is_version
    assert bool(re.fullmatch(settings["tag_regex"], tag)) is is_version
    assert (f"describe-name: {tag}\n" in packed) is is_version
    for way in ("cookiecutter path", "copier copy"):
        project = create(WAYS[way], Request(repository, PATTERN, {}, tmp_path / way))
        assert expected.startswith(answers(project)["_commit"])


def test_the_settings_that_cannot_be_built_have_the_patterns_of_the_rule() -> None:
    patterns = [option.removeprefix("--") for option in DESCRIBE if option.startswith(("--match", "--exclude"))]
    patterns += ["exclude=v0[0-9]*", "exclude=*.0[0-9]*"]  # see pyproject.toml
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools_scm"]
    (described,) = re.findall(r"\(describe:tags=true,(.*)\)", (ROOT / ".git_archival.txt").read_text("utf-8"))

    command = settings["scm"]["git"]["describe_command"]
    assert [option.removeprefix("--") for option in command if option.startswith(("--match", "--exclude"))] == patterns
    assert described.split(",") == patterns


# The version of an installation whose repository is not the published one

ORIGINS = {
    "published, over ssh": (CATALOGUE.source.replace("gh:", "git@github.com:") + ".git", CATALOGUE.source),
    "fork, over ssh": ("git@git.example.com:acme/templates.git", "git@git.example.com:acme/templates.git"),
    "fork, cloned with a password": (
        "https://bot:pa55word@git.example.com/acme/templates",
        "git+https://git.example.com/acme/templates",
    ),
}


@pytest.mark.parametrize(("origin", "remembered"), ORIGINS.values(), ids=ORIGINS)
def test_a_wheel_remembers_a_repository_that_has_its_version(
    origin: str, remembered: str, templates: Path, tmp_path: Path
) -> None:
    """A fork that did not change `source`: the published repository has no such version."""
    fork = repository_to_install(templates, tmp_path / "fork", "v3.0.0")
    git(fork, "remote", "add", "origin", origin)
    # By way of the source distribution, in which there is no git.
    built = run("python", "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", fork)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")

    new_project(pip_install(tmp_path / "installed", wheel), PATTERN, tmp_path / "order-intake")

    made = answers(tmp_path / "order-intake")
    assert (made["_commit"], made["_src_path"]) == ("v3.0.0", remembered)
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if b"pa55word" in archive.read(name)] == []


def test_a_wheel_of_a_clone_without_tags_remembers_a_commit_that_its_repository_has(
    templates: Path, tmp_path: Path
) -> None:
    upstream = repository_to_install(templates, tmp_path / "upstream", "v3.0.0")
    (upstream / "NEWS").write_text("news", "utf-8")
    commit(upstream)
    git(tmp_path, "clone", "--quiet", "--no-tags", "--depth=1", f"file://{upstream}", "clone")
    assert git(tmp_path / "clone", "tag") == ""

    new_project(pip_install(tmp_path / "installed", tmp_path / "clone"), PATTERN, tmp_path / "order-intake")

    made = answers(tmp_path / "order-intake")
    assert git(upstream, "rev-parse", f"{made['_commit']}^{{commit}}") == git(upstream, "rev-parse", "HEAD")
    assert made["_src_path"] == f"git+file://{upstream}"
    commit(tmp_path / "order-intake")
    assert run("serverless-templates", "check", tmp_path / "order-intake").stdout == "Up to date.\n"
