"""A project of any origin follows its template: the user's edits stay, new parts come, real conflicts are marked."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import copier
import pytest
from helpers import ANSWERS_FILE, MINIMAL_SOURCES, ROOT, answers, commit, git, run, tree, write_files, write_sources
from serverless_templates import update as updating
from serverless_templates.build import build, write
from serverless_templates.git import version_of

COMMON = "templates/common/files"
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
        page.write_text(page.read_text("utf-8").replace("line 5 of Some Name", "line 5, mine"), "utf-8")
        (project / "old.txt").unlink()
        (project / "mine.txt").write_text("mine\n", "utf-8")
        return commit(project)

    return _create


def release_2(repository: Path) -> None:
    """A version that changes the page's first line, and brings a part and a question."""
    page = (repository / COMMON / "page.md").read_text("utf-8").replace("line 1 of", "line 1, better, of")
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


# What `make update` runs, in a project that has the toolkit.
COMMAND = f"""
import sys
sys.path.insert(0, {str(ROOT / "templates/common/files")!r})
from toolkit.commands.update import main
sys.exit(main())
"""
MAKE_UPDATE = (sys.executable, "-c", COMMAND, "--defaults")
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
    page = (project / "page.md").read_text("utf-8")
    assert page.startswith("line 1, better, of Some Name\n")
    assert "line 5, mine\n" in page
    assert "<<<<" not in page
    assert (project / "new.txt").read_text("utf-8") == "red\n"
    assert (project / "mine.txt").read_text("utf-8") == "mine\n"
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


@pytest.mark.parametrize("update", ["serverless-templates update", "make update"])
def test_edited_files_of_the_team_are_left_alone(update: str, create: Create, repository: Path) -> None:
    files = ("changed", "same", "deleted", "gone")
    release(repository, "v1.1.0", {f"{COMMON}/yours/{name}.txt": "one\n" for name in files})
    project = create("copier")
    (project / "yours/changed.txt").write_text("mine\n", "utf-8")
    (project / "yours/deleted.txt").unlink()
    (project / "yours/own.txt").write_text("mine\n", "utf-8")
    commit(project)
    (repository / COMMON / "yours/gone.txt").unlink()
    release(repository, "v1.2.0", {f"{COMMON}/yours/{name}.txt": "two\n" for name in ("changed", "same", "deleted")})

    done = run(*UPDATES.get(update, MAKE_UPDATE), cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    left = {path.name: path.read_text("utf-8") for path in (project / "yours").iterdir()}
    assert left == {"changed.txt": "mine\n", "own.txt": "mine\n", "same.txt": "two\n"}


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_conflicting_change_is_marked(origin: str, update: str, create: Create, repository: Path) -> None:
    project = create(origin)
    (project / "notice.txt").write_text("mine\n", "utf-8")
    commit(project)
    release(repository, "v2.0.0", {f"{COMMON}/notice.txt": "two\n"})

    done = run(*UPDATES[update], cwd=project)

    notice = (project / "notice.txt").read_text("utf-8")
    assert notice.splitlines() == ["<<<<<<< before updating", "mine", "=======", "two", ">>>>>>> after updating"]
    if update == "serverless-templates update":
        assert done.returncode == 1
        assert "notice.txt" in done.stderr


@pytest.mark.parametrize("origin", ORIGINS)
def test_an_update_without_news_changes_nothing(origin: str, create: Create) -> None:
    project = create(origin)
    before = tree(project)

    done = run("serverless-templates", "update", "--yes", project)

    assert (done.returncode, done.stdout, done.stderr) == (0, "Up to date.\n", "")
    assert tree(project) == before


@pytest.mark.parametrize("origin", ORIGINS)
def test_check_reports_by_its_exit_code(origin: str, create: Create, repository: Path) -> None:
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
    (project / "notice.txt").write_text("mine\n", "utf-8")
    commit(project)
    release_2(repository)
    release(repository, "v2.1.0", {f"{COMMON}/notice.txt": "two\n"})
    before = tree(project)

    done = run("serverless-templates", "update", "--dry-run", project)

    assert done.returncode == 0, done.stderr
    for line in ("From v1.0.0 to v2.1.0", " page.md ", " new.txt ", "create mode 100644 new.txt"):
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
    assert (top / "service/new.txt").read_text("utf-8") == "red\n"
    assert sorted(path.name for path in top.iterdir()) == [".git", "service"]


def _not_a_project(project: Path) -> None:
    (project / ".copier-answers.yml").unlink()


def _not_ours(project: Path) -> None:
    (project / ".copier-answers.yml").write_text("_commit: v1\n_src_path: x\n", "utf-8")


def _no_commit(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(
        "".join(line for line in file.read_text("utf-8").splitlines(keepends=True) if not line.startswith("_")), "utf-8"
    )


def _not_in_git(project: Path) -> None:
    (project / ".git").rename(project.parent / "unused")


def _uncommitted(project: Path) -> None:
    (project / "page.md").write_text("edited\n", "utf-8")


def _template_gone(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(file.read_text("utf-8").replace("/templates", "/gone"), "utf-8")
    commit(project)


def _offline(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(
        re.sub(r"_src_path: .*", '_src_path: "https://127.0.0.1:1/templates.git"', file.read_text("utf-8")), "utf-8"
    )
    commit(project)


def _hand_edited(old: str, new: str) -> Callable[[Path], None]:
    def _edit(project: Path) -> None:
        file = project / ".copier-answers.yml"
        assert old in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
        commit(project)

    return _edit


def _a_new_file(project: Path) -> None:
    (project / "not-yet.txt").write_text("mine\n", "utf-8")


def _commit_gone(project: Path) -> None:
    file = project / ".copier-answers.yml"
    file.write_text(file.read_text("utf-8").replace("v1.0.0", "v0.9.9"), "utf-8")
    commit(project)


BROKEN = {
    "no answers file": (_not_a_project, "not a generated project", ("update", "check")),
    "another template's answers file": (_not_ours, "`pattern` is missing", ("update", "check")),
    "version not known": (_no_commit, "the template's version is not known", ("update", "check")),
    "not in git": (_not_in_git, "not in a git repository", ("update", "check")),
    "changes not committed": (_uncommitted, "there are changes that are not committed", ("update",)),
    "a new file not committed": (_a_new_file, "there are changes that are not committed", ("update",)),
    "answers file not YAML": (_hand_edited("pattern: first", "pattern: [first"), "not YAML", ("update", "check")),
    "answers file with half a date": (_hand_edited('"small"', "2024-13-45"), "not YAML", ("update", "check")),
    "answer that is no text": (_hand_edited('"small"', "3.10"), "size: 3.1 is not text", ("update", "check")),
    "branch for a version": (_hand_edited("v1.0.0", "main"), "_commit: 'main' is not a version", ("update", "check")),
    "offline": (_offline, "The template cannot be read", ("update", "check")),
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


# What is refused only when there is something new

WRONG_ANSWERS = {
    "unknown pattern": (_hand_edited("pattern: first", "pattern: frist"), "Invalid choice for 'pattern': 'frist'"),
    "unknown choice": (_hand_edited('size: "small"', 'size: "tiny"'), "Invalid choice for 'size': 'tiny'"),
    "answer above the folder": (_hand_edited('"some-name"', '"../evil"'), "project_slug: '../evil' is refused"),
    "answer with an expression": (_hand_edited('"Some Name"', '"{{ 6*7 }}"'), "project_name: '{{ 6*7 }}' is refused"),
}


def refused(project: Path) -> str:
    """What an update says that refuses, having changed nothing."""
    before = tree(project)
    done = run("serverless-templates", "update", "--yes", project)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert tree(project) == before
    return done.stderr


@pytest.mark.parametrize(("spoil", "message"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_answer_edited_to_an_invalid_one_is_reported_with_its_file(
    spoil: Callable[[Path], None], message: str, create: Create, repository: Path
) -> None:
    project = create("cookiecutter")
    spoil(project)
    release_2(repository)

    said = refused(project)

    assert message in said
    assert ".copier-answers.yml" in said


def test_answer_that_the_new_version_refuses_is_reported(create: Create, repository: Path) -> None:
    project = create("copier")
    catalogue = MINIMAL_SOURCES["templates/catalogue.yaml"].replace("{2,29}", "{2,7}").replace("some-name", "short")
    catalogue = re.sub("default: '{{ .*", "default: short", catalogue)
    release(repository, "v2.0.0", {"templates/catalogue.yaml": catalogue})

    said = refused(project)

    assert "project_slug: the template's new version no longer takes 'some-name'" in said
    assert "copier update --data project_slug=" in said


def test_a_file_that_git_ignores_is_not_overwritten(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    (project / ".gitignore").write_text("new.txt\n", "utf-8")
    commit(project)
    (project / "new.txt").write_text("mine, and in no commit\n", "utf-8")
    release_2(repository)

    assert "new.txt: the template brings a file of this name" in refused(project)


def test_a_template_that_moved_is_found_again_by_its_new_address(
    create: Create, repository: Path, tmp_path: Path
) -> None:
    project = create("cookiecutter")
    release_2(repository)
    moved = repository.rename(tmp_path / "moved")
    assert f"See `_src_path` and `_commit` in {ANSWERS_FILE}" in refused(project)

    _hand_edited(f'"{repository}"', f'"{moved}"')(project)
    done = run("serverless-templates", "update", "--yes", project)

    assert done.returncode == 0, done.stderr
    assert answers(project)["_src_path"] == str(moved)
    assert (project / "new.txt").is_file()


def test_changes_elsewhere_in_the_repository_do_not_block_and_are_not_touched(
    create: Create, repository: Path, tmp_path: Path
) -> None:
    project = create("copier")
    top = tmp_path / "mono"
    write_files(top, {"other/changed.txt": "old\n", "other/staged.txt": "old\n", "other/deleted.txt": "old\n"})
    (project / ".git").rename(tmp_path / "unused")
    project = project.rename(top / "service")
    commit(top)
    release_2(repository)
    write_files(top / "other", {"changed.txt": "mine\n", "staged.txt": "mine\n", "new.txt": "mine\n"})
    git(top, "add", "other/staged.txt")
    before = tree(top / "other")

    done = run("serverless-templates", "update", "--yes", project)

    assert done.returncode == 0, done.stderr
    assert (project / "new.txt").is_file()
    assert tree(top / "other") == before
    # What copier would bring back is refused instead.
    git(project, "add", ".")
    git(top, "commit", "--quiet", "--message", "Update", "--", "service")
    (top / "other/deleted.txt").unlink()
    release(repository, "v3.0.0", {f"{COMMON}/notice.txt": "two\n"})
    assert "other/deleted.txt: deleted, but that is not committed" in refused(project)
    assert not (top / "other/deleted.txt").exists()


# What maintainers may do to names and files: see docs/evolution.md


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("origin", ["cookiecutter", "copier"])
def test_a_renamed_question_keeps_its_answer_over_any_number_of_names(
    origin: str, update: str, create: Create, repository: Path
) -> None:
    project = create(origin)
    catalogue = MINIMAL_SOURCES["templates/catalogue.yaml"].replace(
        "- name: size\n", "- name: extent\n    renamed_from: [scale, size]\n"
    )
    catalogue = catalogue.replace("default: small", "default: large")  # for whoever has not answered
    readme = MINIMAL_SOURCES[f"{COMMON}/README.md"].replace("cookiecutter.size", "cookiecutter.extent")
    release(repository, "v2.0.0", {"templates/catalogue.yaml": catalogue, f"{COMMON}/README.md": readme})

    done = run(*UPDATES[update], cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Sized small." in (project / "README.md").read_text("utf-8")
    assert answers(project)["extent"] == "small"
    assert "size" not in answers(project)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("origin", ["cookiecutter", "copier"])
def test_a_renamed_pattern_takes_its_projects_along(origin: str, update: str, create: Create, repository: Path) -> None:
    project = create(origin)
    patterns = repository / "templates/patterns"
    (patterns / "first").rename(patterns / "one")
    page = (repository / COMMON / "page.md").read_text("utf-8").replace("line 1 of", "line 1, better, of")
    declared = MINIMAL_SOURCES["templates/patterns/first/pattern.yaml"] + "renamed_from: [uno, first]\n"
    release(repository, "v2.0.0", {"templates/patterns/one/pattern.yaml": declared, f"{COMMON}/page.md": page})

    done = run(*UPDATES[update], cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert answers(project)["pattern"] == "one"
    assert (project / "first.txt").is_file()
    assert (project / "page.md").read_text("utf-8").startswith("line 1, better, of Some Name\n")
    assert "line 5, mine\n" in (project / "page.md").read_text("utf-8")


def test_removed_pattern_is_reported(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    patterns = repository / "templates/patterns"
    (patterns / "first").rename(patterns / "one")
    release(repository, "v2.0.0", {})

    assert 'Question "pattern" is required' in refused(project)


def test_removed_file_is_deleted_unless_it_was_edited(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    (project / "notice.txt").write_text("one\nand mine\n", "utf-8")
    commit(project)
    (repository / COMMON / "notice.txt").unlink()
    (repository / "templates/parts/tables/files/tables.txt").unlink()
    release(repository, "v2.0.0", {"templates/parts/tables/files/other.txt": "other\n"})

    done = run("serverless-templates", "update", "--yes", project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (project / "tables.txt").exists()
    assert (project / "notice.txt").read_text("utf-8") == "one\nand mine\n"
    assert "No longer in the template, but changed by you, so it stays\n  notice.txt\n" in done.stdout
    assert (project / "other.txt").is_file()


# The user's own git: its settings have no say, and its words are passed on

SETTINGS = {
    "plain": {},
    "untracked files not shown": {"status.showUntrackedFiles": "no"},
    "conflicts shown in another style": {"merge.conflictStyle": "diff3"},
    "whitespace refused": {"apply.whitespace": "error"},
    "paths relative": {"diff.relative": "true"},
    "colours": {"color.ui": "always"},
    "files ignored everywhere": {"core.excludesFile": "~/ignored"},
    "prefixes": {"diff.noprefix": "true", "diff.mnemonicPrefix": "true"},
}


@pytest.mark.parametrize("update", ["serverless-templates update", "make update"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_an_edit_that_conflicts_is_never_lost(
    settings: dict[str, str], update: str, create: Create, repository: Path
) -> None:
    project = create("cookiecutter")
    (project / "notice.txt").write_text("mine \n", "utf-8")
    commit(project)
    release(repository, "v2.0.0", {f"{COMMON}/notice.txt": "two\n"})
    (Path.home() / "ignored").write_text("*.txt\n*.rej\n", "utf-8")
    for key, value in settings.items():
        git(project, "config", "--global", key, value)

    done = run(*UPDATES.get(update, MAKE_UPDATE), cwd=project)

    notice = (project / "notice.txt").read_text("utf-8").splitlines()
    assert notice == ["<<<<<<< before updating", "mine ", "=======", "two", ">>>>>>> after updating"]
    assert done.returncode == 1, done.stdout + done.stderr
    assert "notice.txt" in done.stderr
    assert not list(project.glob("*.rej"))


@pytest.mark.parametrize("update", ["serverless-templates update", "make update"])
def test_globally_ignored_files_do_not_block_and_are_not_touched(update: str, create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    release(repository, "v2.0.0", {f"{COMMON}/new.txt": "two\n"})
    (Path.home() / "ignored").write_text("*.txt\n.editor/\n", "utf-8")
    git(project, "config", "--global", "core.excludesFile", "~/ignored")
    mine = {".editor/settings": "mine", "notes [1] *.txt": "mine"}
    write_files(project, mine)

    done = run(*UPDATES.get(update, MAKE_UPDATE), cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "new.txt").read_text("utf-8") == "two\n"
    assert {path: (project / path).read_text("utf-8") for path in mine} == mine


@pytest.mark.parametrize("update", ["serverless-templates update", "make update"])
def test_a_rejected_change_of_an_earlier_update_is_refused(update: str, create: Create, repository: Path) -> None:
    """Copier would take it for one of its own, and undo what was done to the file since."""
    project = create("cookiecutter")
    (project / ".gitignore").write_text("*.rej\n", "utf-8")
    commit(project)
    (project / "page.md.rej").write_text("a change that git could not apply\n", "utf-8")
    release_2(repository)
    before = tree(project)

    done = run(*UPDATES.get(update, MAKE_UPDATE), cwd=project)

    assert done.returncode == (2 if update in UPDATES else 1), done.stdout + done.stderr
    assert "page.md.rej" in done.stderr
    assert tree(project) == before


def test_a_change_that_is_left_rejected_is_a_conflict(
    create: Create, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create("cookiecutter")
    (project / "notice.txt").write_text("mine\n", "utf-8")
    commit(project)
    release(repository, "v2.0.0", {f"{COMMON}/notice.txt": "two\n"})
    run_update = copier.run_update
    monkeypatch.setattr(copier, "run_update", lambda *args, **more: run_update(*args, **more, conflict="rej"))

    left = updating.update(updating.find_project(project), "v2.0.0")
    git(project, "restore", ".")
    (project / "notice.txt.rej").unlink()
    done = run(*MAKE_UPDATE, "--conflict=rej", cwd=project)

    assert left.conflicts == ("notice.txt.rej",)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "notice.txt.rej" in done.stderr


@pytest.mark.parametrize("update", ["serverless-templates update", "make update"])
@pytest.mark.parametrize("hook", ["prepare-commit-msg", "post-checkout"])
def test_git_hooks_of_the_user_do_not_run(hook: str, update: str, create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    release_2(repository)
    write_files(project.parent / "hooks", {hook: "#!/bin/sh\nexit 1\n"})
    (project.parent / "hooks" / hook).chmod(0o755)
    git(project, "config", "--global", "core.hooksPath", str(project.parent / "hooks"))

    done = run(*UPDATES.get(update, MAKE_UPDATE), cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "new.txt").read_text("utf-8") == "red\n"


def test_make_update_without_a_terminal_says_what_to_do(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    release_2(repository)
    before = tree(project)

    done = run(*MAKE_UPDATE[:-1], cwd=project)

    assert done.returncode == 2
    assert "make update DEFAULTS=1" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(project) == before


def test_what_overrides_the_users_settings_is_the_same_in_a_project() -> None:
    sources = [
        (ROOT / path).read_text("utf-8")
        for path in ("generator/git.py", "templates/common/files/toolkit/commands/update.py")
    ]

    ours, of_a_project = (set(re.findall(r'^    "(\w+\.\w+": \S+),', source, re.MULTILINE)) for source in sources)
    assert ours == of_a_project
    assert len(ours) > 1


def test_settings_that_give_access_stay(create: Create, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's address, rewritten by its own settings: by `GIT_CONFIG_COUNT`, as a CI does."""
    project = create("cookiecutter")
    release_2(repository)
    _hand_edited(f'"{repository}"', '"https://git.example.com/templates.git"')(project)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{repository}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/templates.git")

    done = run(*UPDATES["serverless-templates update"], cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "new.txt").read_text("utf-8") == "red\n"


SAID = (
    "ssh: Could not resolve hostname git.example.com: Name or service not known",
    "git@git.example.com: Permission denied (publickey).",
    "ERROR: Repository not found.",
    "Host key verification failed.",
)


@pytest.mark.parametrize("said", SAID)
def test_unreachable_template_shows_gits_error(
    said: str, create: Create, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = create("cookiecutter")
    file = project / ANSWERS_FILE
    file.write_text(
        re.sub(r"_src_path: .*", '_src_path: "git@git.example.com:org/templates.git"', file.read_text("utf-8")), "utf-8"
    )
    commit(project)
    script = f'#!/bin/sh\necho "Warning: Permanently added a host." >&2\necho "{said}" >&2\nexit 255\n'
    write_files(tmp_path, {"ssh": script})
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(tmp_path / "ssh"))

    for command in ("update", "check"):
        done = run("serverless-templates", command, project)

        assert done.returncode == 2
        assert f"The template cannot be read: {said.rstrip('.')}. See" in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("command", ["update", "check"])
def test_a_project_of_another_user_is_refused_with_gits_own_remedy(command: str, create: Create) -> None:
    project = create("cookiecutter")
    for path in (project, project / ".git"):
        os.chown(path, 12345, 12345)

    done = run("serverless-templates", command, project)

    assert done.returncode == 2
    assert "dubious ownership" in done.stderr
    assert f"git config --global --add safe.directory {project}" in done.stderr
    assert "git init" not in done.stderr


# Which tags are versions


NO_VERSIONS = ("v0", "latest", "v1.0", "release-1.0.0", "v1.0.0-rc1", "v1.0.0rc1", "1.0.0", "v1.0.0.1", "vv1.0.0")


@pytest.mark.parametrize("tag", NO_VERSIONS)
def test_incomplete_version_is_not_a_version(tag: str, tmp_path: Path) -> None:
    commit(tmp_path, tag=tag)

    assert git(tmp_path, "rev-parse", "HEAD").startswith(version_of(tmp_path))
    git(tmp_path, "-c", "tag.gpgSign=false", "tag", "--annotate", "--message", "a release", "v1.2.10")
    assert version_of(tmp_path) == "v1.2.10"


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("annotated", [(), ("--annotate", "--message=moving")], ids=["plain", "annotated"])
def test_only_a_full_version_is_remembered(
    annotated: tuple[str, ...], origin: str, create: Create, repository: Path
) -> None:
    for tag in NO_VERSIONS:
        git(repository, "tag", *annotated, tag)

    project = create(origin)

    assert answers(project)["_commit"] in {"v1.0.0", git(repository, "rev-parse", "HEAD")}
    done = run("serverless-templates", "check", project)
    assert (done.returncode, done.stdout) == (0, "Up to date.\n")


@pytest.mark.parametrize("origin", ORIGINS)
def test_where_no_tag_is_a_version_the_commit_is_remembered(origin: str, create: Create, repository: Path) -> None:
    git(repository, "tag", "--delete", "v1.0.0")
    git(repository, "tag", "release-0.1.0")

    project = create(origin)

    head = git(repository, "rev-parse", "HEAD")
    assert head.startswith(answers(project)["_commit"])
    assert run("serverless-templates", "check", project).returncode == 0
    release_2(repository)
    assert run("serverless-templates", "check", project).returncode == 1


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_tag_that_has_moved_does_not_hide_a_release(origin: str, create: Create, repository: Path) -> None:
    git(repository, "tag", "v1")
    git(repository, "tag", "latest")
    project = create(origin)
    release_2(repository)
    for tag in ("v1", "latest"):
        git(repository, "tag", "--force", tag)

    checked = run("serverless-templates", "check", project)
    done = run(*UPDATES["serverless-templates update"], cwd=project)

    assert checked.returncode == 1
    assert "v2.0.0" in checked.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "new.txt").read_text("utf-8") == "red\n"
    assert answers(project)["_commit"] in ("v2.0.0", git(repository, "rev-parse", "HEAD"))


def test_a_pre_release_is_not_updated_to(create: Create, repository: Path) -> None:
    project = create("cookiecutter")
    release_2(repository)
    git(repository, "tag", "v2.0.0-rc1")
    git(repository, "tag", "--delete", "v2.0.0")

    assert run("serverless-templates", "check", project).stdout == "Up to date.\n"


@pytest.mark.parametrize("merged", [False, True], ids=["fetched", "merged"])
@pytest.mark.parametrize("own", [False, True], ids=["at upstream's version", "at a version of the fork"])
def test_a_fork_does_not_send_its_projects_to_upstream(
    create: Create, repository: Path, tmp_path: Path, *, own: bool, merged: bool
) -> None:
    upstream = tmp_path / "upstream"
    git(tmp_path, "clone", "--quiet", str(repository), "upstream")
    if own:
        release(repository, "v1.0.1", {f"{COMMON}/company.txt": "one\n"})
    project = create("cookiecutter")
    release(repository, "v1.1.0", {f"{COMMON}/company.txt": "ours\n"})
    release(upstream, "v2.0.0", {f"{COMMON}/notice.txt": "upstream's\n"})
    git(repository, "fetch", "--quiet", "--tags", str(upstream))
    if merged:
        git(repository, "merge", "--quiet", "--no-edit", "v2.0.0")

    checked = run("serverless-templates", "check", project)
    done = run(*UPDATES["serverless-templates update"], cwd=project)

    assert checked.returncode == 1
    assert "v1.1.0" in checked.stdout
    assert "Passed over: v2.0.0" in checked.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / "company.txt").read_text("utf-8") == "ours\n"
    assert (project / "notice.txt").read_text("utf-8") == "one\n"
    if merged:
        release(repository, "v2.1.0", {})
        commit(project)
        assert "v2.1.0" in run("serverless-templates", "check", project).stdout


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


WITHOUT_PASSWORD = {
    "https://bot:secret@example.com/templates.git": "https://example.com/templates.git",
    "https://secret@example.com/templates.git": "https://example.com/templates.git",
    "git+https://bot:secret@example.com/templates.git": "git+https://example.com/templates.git",
    "git+https://secret@example.com/templates.git": "git+https://example.com/templates.git",
    "ssh://bot:secret@example.com/templates.git": "ssh://bot@example.com/templates.git",
    "git+ssh://bot:secret@example.com/templates.git": "git+ssh://bot@example.com/templates.git",
    "ssh://git@example.com/templates.git": "ssh://git@example.com/templates.git",
    "git@example.com:org/templates.git": "git@example.com:org/templates.git",
}


@pytest.mark.parametrize(("address", "remembered"), WITHOUT_PASSWORD.items())
def test_cookiecutter_does_not_remember_a_password(
    address: str, remembered: str, repository: Path, tmp_path: Path
) -> None:
    git(repository, "remote", "add", "origin", address)

    assert origin_of(repository, tmp_path)["_src_path"] == remembered


@pytest.mark.parametrize(
    ("engine", "address", "remembered"),
    [
        (engine, *addresses)
        for engine in ("copier", "cruft")
        for addresses in WITHOUT_PASSWORD.items()
        if engine == "copier" or not addresses[0].startswith("git+")  # cruft takes none of those
    ],
)
def test_other_engines_do_not_remember_a_password(
    engine: str, address: str, remembered: str, repository: Path, tmp_path: Path
) -> None:
    # Git is told to find this address in a folder.
    for form in {address, address.removeprefix("git+")}:
        git(tmp_path, "config", "--global", "--add", f"url.{repository}.insteadOf", form)
    project = tmp_path / "made/some-name"
    project.parent.mkdir()
    command: dict[str, tuple[object, ...]] = {
        "copier": ("copier", "copy", "--quiet", "--defaults", "--data=pattern=first", address, project),
        "cruft": (
            "cruft",
            "create",
            "--no-input",
            "--output-dir",
            project.parent,
            address,
            "--directory",
            "built/first",
        ),
    }

    done = run(*command[engine])

    assert done.returncode == 0, done.stderr
    assert answers(project)["_src_path"] == remembered
    assert "secret" not in (project / ANSWERS_FILE).read_text("utf-8")


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
