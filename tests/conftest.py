"""What every test shares: a home of its own, and repositories of templates to create projects from."""

import functools
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import forks
import pytest
from helpers import PROOF, Bake, Make, commit, git, run, write_sources
from projects import CALLERS_VARIABLES, ROOT, TOOLS, make_command
from proofs import figures
from pytest_cookies.plugin import Cookies
from releases import _releases, publish, published  # noqa: F401 - fixtures
from serverless_templates.build import build, write

MINUTE = 60


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More workers than cores: tests on the local AWS wait for much of their time."""
    return 2 * (os.cpu_count() or 1)


def pytest_unconfigure() -> None:
    """End what ran commands."""
    forks.end()


def pytest_configure(config: pytest.Config) -> None:
    """With workers, whose tests write nothing until they end, say what takes long."""
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config))


class Progress:
    """Says each minute which tests are running."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.running: dict[str, float] = {}
        self.ended = threading.Event()
        threading.Thread(target=self.tell, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.running.pop(nodeid, None)

    def pytest_sessionfinish(self) -> None:
        self.ended.set()

    def tell(self) -> None:
        while not self.ended.wait(MINUTE):
            now = time.monotonic()
            for test, start in list(self.running.items()):
                if now - start > MINUTE / 2:
                    reporter: Any = self.config.pluginmanager.getplugin("terminalreporter")
                    reporter.ensure_newline()
                    reporter.write_line(f"{now - start:.0f} s: {test}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests come first, so that none is left for the end, when the other workers have nothing to do.

    pytest-xdist deals the list out in stretches, one for each worker: each begins with some of the long ones.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    short = iter([item for item in items if item not in set(long)])
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        stretch = (len(items) - len(ordered)) // (workers - worker)
        first = long[workers - 1 - worker :: workers]  # the last stretches are the longer ones
        ordered += [*first, *islice(short, stretch - len(first))]
    assert len(ordered) == len(items)
    items[:] = ordered


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int) -> None:
    """After a proof, what its tests have counted goes into the documentation."""
    if PROOF and exitstatus == 0:
        ended = [report for report in terminalreporter.stats[""] if report.when == "teardown"]
        counted = {test.nodeid: dict(test.user_properties) for test in ended if test.user_properties}
        figures.write(PROOF, figures.table(counted))


@pytest.fixture
def counts(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """What a test counts, for the documentation."""
    counted: dict[str, Any] = {}
    yield counted
    request.node.user_properties.extend(counted.items())


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for this test alone: nobody's configuration has a say, and nothing is left in anybody's home."""
    home = tmp_path_factory.mktemp("home")
    (home / "copier.yml").write_text("{}", "utf-8")
    (home / "gitconfig").write_text(
        "[user]\nname = Tester\nemail = tester@example.com\n[init]\ndefaultBranch = main\n", "utf-8"
    )
    for name in [name for name in os.environ if name.startswith(("GIT_", "XDG_", "COOKIECUTTER_", "COPIER_"))]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "COLUMNS"):  # pytest-xdist sets the second
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(home / "copier.yml"))
    monkeypatch.setenv("COPIER_CACHE_DIR", str(home / "copier-cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # One for all tests: projects differ, and what they depend on does not. Each worker's folder is in a common one.
    base = tmp_path_factory.getbasetemp()
    common = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    monkeypatch.setenv("MYPY_CACHE_DIR", str(common / "mypy"))
    monkeypatch.setenv("SAM_CLI_TELEMETRY", "0")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return home


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository's sources as they are now, built, in a repository of their own with the tag v0.1.0."""
    root = tmp_path_factory.mktemp("templates")
    for folder in ("templates", "hooks", "generator"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (".gitattributes", ".git_archival.txt"):
        shutil.copy(ROOT / file, root / file)
    write(root, build(root))
    commit(root, tag="v0.1.0")
    git(root, "gc", "--quiet")  # copier clones it each time, which is quicker from one pack
    return root


@pytest.fixture
def templates(_templates: Path) -> Path:
    """The templates to create projects from. Not to be changed: tests share it."""
    return _templates


@pytest.fixture
def changing_templates(templates: Path, tmp_path: Path) -> Path:
    """The same templates, in a repository that the test may change."""
    git(tmp_path, "clone", "--quiet", str(templates), "changing")
    git(tmp_path / "changing", "remote", "remove", "origin")
    return tmp_path / "changing"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The smallest sources that can be built: one common file, one part, and the pattern `first`."""
    root = tmp_path / "sources"
    write_sources(root)
    return root


@pytest.fixture(scope="session")
def _baked(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Creates a project, once for the same answers. Not to be changed: tests share it."""

    @functools.cache
    def baked(pattern: str, answers: tuple[tuple[str, str], ...]) -> Path:
        # A copy, because the hooks look at git when they run in this repository.
        template = shutil.copytree(ROOT / "built" / pattern, tmp_path_factory.mktemp("template") / pattern)
        result = cookies_session.bake(template=str(template), extra_context=dict(answers))
        assert result.exception is None, result.exception
        return Path(result.project_path)

    return baked


@pytest.fixture
def bake(_baked: Callable[..., Path], tmp_path: Path) -> Bake:
    """Creates a project."""

    def _bake(pattern: str, answers: Mapping[str, str] | None = None) -> Path:
        project = _baked(pattern, tuple((answers or {}).items()))
        return shutil.copytree(project, Path(tempfile.mkdtemp(dir=tmp_path)) / project.name)

    return _bake


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Make:
    """Runs a project's own make targets, with the tools that are installed already."""
    if not (TOOLS / "installed").exists():
        pytest.fail(f"{TOOLS} is not there: run `make test`, which makes it")
    for name in CALLERS_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def _make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*make_command(project, *arguments))

    return _make


@pytest.fixture(scope="session")
def sam() -> str:
    """The AWS SAM CLI: the one that the variable SAM names, or the one that `make test` installs."""
    path = os.environ.get("SAM", str(ROOT / ".venv-generated-sam/bin/sam"))
    if not Path(path).is_file():
        pytest.fail(
            f"{path} is not there. Run `make test`, which installs it, or set SAM to a SAM CLI installed by pip."
        )
    return path
