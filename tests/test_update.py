"""A project of any origin follows its template: the user's edits stay, new parts come, real conflicts are marked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import MINIMAL_SOURCES, answers, commit, git, run, tree, write_files, write_sources
from serverless_templates.build import build, write

COMMON = "templates/common"
ORIGINS = ("cookiecutter", "copier", "cruft")

Create = Callable[[str], Path]


def release(root: Path, tag: str, files: dict[str, str]) -> None:
    """Change the sources of the templates, build them and tag the result."""
    write_files(root, files)
    write(root, build(root))
    commit(root, tag=tag)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Templates whose version v1.0.0 has a page of five lines, a notice and an old file."""
    root = tmp_path / "templates"
    write_sources(root)
    page = "".join(f"line {number} of {{{{ cookiecutter.project_name }}}}\n\n" for number in range(1, 6))
    release(root, "v1.0.0", {f"{COMMON}/page.md": page, f"{COMMON}/notice.txt": "one\n", f"{COMMON}/old.txt": "old\n"})
    return root


@pytest.fixture
def create(repository: Path, tmp_path: Path) -> Create:
    """Makes a project with a tool, in a git repository, and edits it as a user would."""
    source, project = str(repository), tmp_path / "projects/some-name"
    commands = {
        "cookiecutter": ("cookiecutter", "--no-input", "-o", project.parent, source, "--directory", "built/first"),
        "copier": ("copier", "copy", "--quiet", "--defaults", "--data=pattern=first", source, project),
        "cruft": (
            "cruft",
            "create",
            "--no-input",
            "--output-dir",
            project.parent,
            source,
            "--directory",
            "built/first",
        ),
    }

    def _create(origin: str) -> Path:
        project.parent.mkdir()
        done = run(*commands[origin])
        assert done.returncode == 0, done.stderr
        commit(project)
        page = project / "page.md"
        page.write_text(page.read_text().replace("line 5 of Some Name", "line 5, mine"))
        (project / "old.txt").unlink()
        (project / "mine.txt").write_text("mine\n")
        return commit(project)

    return _create


def release_2(repository: Path) -> None:
    """A version that changes the page's first line, and brings a part and a question."""
    page = (repository / COMMON / "page.md").read_text().replace("line 1 of", "line 1, better, of")
    catalogue = MINIMAL_SOURCES["templates/catalogue.yaml"].replace(
        "computed:",
        "  - {name: colour, help: Colour, type: choice, choices: [red, blue], default: red}\ncomputed:",
    )
    files = {
        f"{COMMON}/page.md": page,
        f"{COMMON}/new.txt": "{{ cookiecutter.colour }}\n",
        f"{COMMON}/old.txt": "older\n",
    }
    release(repository, "v2.0.0", {**files, "templates/catalogue.yaml": catalogue})


UPDATES = {
    "copier update": ("copier", "update", "--defaults", "--quiet"),
    "serverless-templates update": ("serverless-templates", "update", "--yes"),
}


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_an_update_keeps_what_is_mine_and_brings_what_is_new(
    origin: str, update: str, create: Create, repository: Path
) -> None:
    project = create(origin)
    release_2(repository)

    done = run(*UPDATES[update], cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    page = (project / "page.md").read_text()
    assert page.startswith("line 1, better, of Some Name\n")
    assert "line 5, mine\n" in page
    assert "<<<<" not in page
    assert (project / "new.txt").read_text() == "red\n"
    assert (project / "mine.txt").read_text() == "mine\n"
    assert not (project / "old.txt").exists()
    assert answers(project) == {
        "_commit": "v2.0.0",
        "_src_path": str(repository),
        "pattern": "first",
        "project_name": "Some Name",
        "project_slug": "some-name",
        "size": "small",
        "colour": "red",
    }


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_what_both_changed_is_marked(origin: str, update: str, create: Create, repository: Path) -> None:
    project = create(origin)
    (project / "notice.txt").write_text("mine\n")
    commit(project)
    release(repository, "v2.0.0", {f"{COMMON}/notice.txt": "two\n"})

    done = run(*UPDATES[update], cwd=project)

    notice = (project / "notice.txt").read_text()
    assert notice.splitlines() == ["<<<<<<< before updating", "mine", "=======", "two", ">>>>>>> after updating"]
    if update == "serverless-templates update":
        assert done.returncode == 1
        assert "notice.txt" in done.stderr


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_update_without_news_changes_nothing(origin: str, create: Create) -> None:
    project = create(origin)
    before = tree(project)

    done = run("serverless-templates", "update", "--yes", project)

    assert (done.returncode, done.stdout) == (0, "Up to date.\n")
    assert tree(project) == before


@pytest.mark.parametrize("origin", ORIGINS)
def test_check_tells_by_its_exit_code(origin: str, create: Create, repository: Path) -> None:
    project = create(origin)

    assert run("serverless-templates", "check", project).returncode == 0
    release_2(repository)
    done = run("serverless-templates", "check", project)
    copiers = run("copier", "check-update", "--quiet", project)

    assert done.returncode == 1
    assert "1.0.0" in done.stdout
    assert "2.0.0" in done.stdout
    assert copiers.returncode == 2


def test_a_dry_run_shows_the_changes_and_makes_none(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    (project / "notice.txt").write_text("mine\n")
    commit(project)
    release_2(repository)
    release(repository, "v2.1.0", {f"{COMMON}/notice.txt": "two\n"})
    before = tree(project)

    done = run("serverless-templates", "update", "--dry-run", project)

    assert done.returncode == 0, done.stderr
    for line in ("From 1.0.0 to 2.1.0", " page.md ", " new.txt ", "create mode 100644 new.txt"):
        assert line in done.stdout
    assert "In conflict with your changes\n  notice.txt\n" in done.stdout
    assert tree(project) == before
    assert git(project, "status", "--porcelain") == ""


def test_without_a_terminal_an_update_needs_yes(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    release_2(repository)
    before = tree(project)

    done = run("serverless-templates", "update", project)

    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert tree(project) == before


def test_a_project_below_the_top_of_its_repository_is_updated_there(
    create: Create, repository: Path, tmp_path: Path
) -> None:
    project = create("cookiecutter")
    top = tmp_path / "mono"
    top.mkdir()
    (project / ".git").rename(tmp_path / "unused")
    project.rename(top / "service")
    commit(top)
    release_2(repository)

    done = run("serverless-templates", "update", "--yes", top / "service")

    assert done.returncode == 0, done.stderr
    assert (top / "service/new.txt").read_text() == "red\n"
    assert sorted(path.name for path in top.iterdir()) == [".git", "service"]


def _not_a_project(project: Path) -> None:
    (project / ".copier-answers.yml").unlink()


def _not_ours(project: Path) -> None:
    (project / ".copier-answers.yml").write_text("_commit: v1\n_src_path: x\n")


def _no_commit(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if not line.startswith("_")))


def _not_in_git(project: Path) -> None:
    (project / ".git").rename(project.parent / "unused")


def _uncommitted(project: Path) -> None:
    (project / "page.md").write_text("edited\n")


def _template_gone(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(file.read_text().replace("/templates", "/gone"))
    commit(project)


def _commit_gone(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(file.read_text().replace("v1.0.0", "v0.9.9"))
    commit(project)


BROKEN = {
    "no answers file": (_not_a_project, "not a generated project", ("update", "check")),
    "another template's answers file": (_not_ours, "it names no pattern", ("update", "check")),
    "version not known": (_no_commit, "the template's version is not known", ("update", "check")),
    "not in git": (_not_in_git, "not in a git repository", ("update", "check")),
    "changes not committed": (_uncommitted, "there are changes that are not committed", ("update",)),
    "template gone": (_template_gone, "The template cannot be read", ("update", "check")),
    "version gone": (_commit_gone, "The template cannot be read", ("update", "check")),
}


@pytest.mark.parametrize(("spoil", "message", "commands"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_updated_is_refused_with_the_reason(
    spoil: Callable[[Path], None], message: str, commands: tuple[str, ...], create: Create
) -> None:
    project = create("cookiecutter")
    spoil(project)
    before = tree(project)

    for command in commands:
        done = run("serverless-templates", command, project)

        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert tree(project) == before


# Where a project says it came from, when that is not the plain case


def origin_of(template: Path, tmp_path: Path) -> dict[str, str]:
    done = run("cookiecutter", "--no-input", "--output-dir", tmp_path / "made", template, "--directory", "built/first")
    assert done.returncode == 0, done.stderr
    made = answers(tmp_path / "made/some-name")
    return {key: value for key, value in made.items() if key.startswith("_")}


def test_a_commit_after_the_tag_is_remembered_as_that(repository: Path, tmp_path: Path) -> None:
    release_2(repository)
    git(repository, "tag", "--delete", "v2.0.0")

    found = origin_of(repository, tmp_path)

    assert found["_commit"] == git(repository, "describe", "--tags")
    assert found["_commit"].startswith("v1.0.0-1-g")


def test_the_password_in_an_address_is_not_remembered(repository: Path, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", "https://user:secret@example.com/templates.git")

    assert origin_of(repository, tmp_path)["_src_path"] == "https://example.com/templates.git"


def test_the_user_of_an_ssh_address_is_remembered(repository: Path, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", "ssh://git:secret@example.com/templates.git")

    assert origin_of(repository, tmp_path)["_src_path"] == "ssh://git@example.com/templates.git"


def test_a_template_with_changes_on_top_of_its_commit_is_not_remembered(repository: Path, tmp_path: Path) -> None:
    write_files(repository, {f"{COMMON}/page.md": "changed\n"})
    write(repository, build(repository))

    assert origin_of(repository, tmp_path) == {}


def test_a_template_inside_another_repository_is_not_taken_for_it(repository: Path, tmp_path: Path) -> None:
    (repository / ".git").rename(tmp_path / "unused")
    commit(tmp_path, tag="v9.9.9")

    assert origin_of(repository, tmp_path) == {}


def test_a_git_hook_that_runs_the_generator_does_not_mislead_it(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    commit(other, tag="v9.9.9")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))

    assert origin_of(repository, tmp_path)["_commit"] == "v1.0.0"
