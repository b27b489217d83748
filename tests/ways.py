"""Every way in: how a person creates a project with each tool, as a command that is really run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from helpers import BIN, CATALOGUE, PATTERNS, commit, git, run
from serverless_templates.answers import defaults


@dataclass(frozen=True)
class Request:
    """What is asked for: a project of `pattern` in the folder `output`, from the repository `templates`."""

    templates: Path
    pattern: str
    answers: Mapping[str, str]
    output: Path
    sam: str = ""

    @property
    def directory(self) -> str:
        """Where the pattern's template is in the repository."""
        return f"built/{self.pattern}"

    @property
    def pairs(self) -> list[str]:
        """The answers as cookiecutter and others take them on their command line."""
        return [f"{name}={answer}" for name, answer in self.answers.items()]


# Every kind of answer that is not the default, and text that each file format must quote.
UNUSUAL = {
    "project_name": "Ünusual \"orders\" 'n' \\ 😀 <b> ${AWS::AccountId} #!",
    "project_slug": "a-b2",
    "description": "Says: \"yes\", {or} 'no' - 100% \\n # not a comment",
    "owner": "@someone",
    "aws_region": "ap-southeast-7",
    "python_version": "3.12",
}

Way = Callable[[Request], CompletedProcess[str]]


def _cookiecutter(request: Request, template: object, *options: str) -> CompletedProcess[str]:
    return run("cookiecutter", "--no-input", "--output-dir", request.output, *options, template, *request.pairs)


def cookiecutter_directory(request: Request) -> CompletedProcess[str]:
    return _cookiecutter(request, request.templates, "--directory", request.directory)


def cookiecutter_path(request: Request) -> CompletedProcess[str]:
    return _cookiecutter(request, request.templates / request.directory)


def cookiecutter_relative_path(request: Request) -> CompletedProcess[str]:
    command = (BIN / "cookiecutter", "--no-input", "--output-dir", request.output, f"./{request.directory}")
    # `sh` because a shell tells the commands that it starts where it is, in PWD.
    return run("sh", "-c", 'cd "$0" && exec "$@"', request.templates, *command, *request.pairs)


def cookiecutter_zip(request: Request) -> CompletedProcess[str]:
    archive = request.output.parent / "templates.zip"
    git(request.templates, "archive", "--prefix=templates/", f"--output={archive}", "HEAD")
    return _cookiecutter(request, archive, "--directory", request.directory)


def cookiecutter_git_url(request: Request) -> CompletedProcess[str]:
    bare = request.output.parent / "bare.git"
    git(request.templates, "clone", "--quiet", "--bare", ".", str(bare))
    return _cookiecutter(request, f"file://{bare}", "--directory", request.directory)


def cookiecutter_menu(request: Request) -> CompletedProcess[str]:
    """Without options, cookiecutter asks for the pattern by number, then each question; an empty line is a default."""
    questions = CATALOGUE.questions_of(request.pattern)
    lines = [str(PATTERNS.index(request.pattern) + 1)]
    for question in questions:
        answer = request.answers.get(question.name, "")
        if answer and question.choices:
            answer = str(sorted(question.choices, key=question.default.__ne__).index(answer) + 1)
        lines.append(answer)
    command = ("cookiecutter", "--output-dir", request.output, request.templates)
    return run(*command, input="".join(f"{line}\n" for line in lines))


def copier_copy(request: Request) -> CompletedProcess[str]:
    data = [f"--data={pair}" for pair in (f"pattern={request.pattern}", *request.pairs)]
    if "project_slug" not in request.answers:  # or it would follow the folder while the project has its default name
        data.append(f"--data=project_slug={complete(request.pattern, request.answers)['project_slug']}")
    return run("copier", "copy", "--quiet", "--defaults", *data, request.templates, request.output / "project")


def copier_recopy(request: Request) -> CompletedProcess[str]:
    done = copier_copy(request)
    if done.returncode:
        return done
    project = commit(request.output / "project")
    (project / "template.yaml").write_text("spoilt", "utf-8")
    return run("copier", "recopy", "--quiet", "--defaults", "--overwrite", project)


def cruft_create(request: Request) -> CompletedProcess[str]:
    extra = json.dumps(dict(request.answers))
    options = ("--no-input", "--directory", request.directory, "--extra-context", extra, "--output-dir", request.output)
    return run("cruft", "create", request.templates, *options)


def sam_init(request: Request) -> CompletedProcess[str]:
    extra = json.dumps(dict(request.answers))
    options = ("--no-input", "--extra-context", extra, "--output-dir", request.output)
    return run(request.sam, "init", "--location", request.templates / request.directory, *options)


def command_line(request: Request) -> CompletedProcess[str]:
    data = [f"--data={pair}" for pair in request.pairs]
    if "project_name" not in request.answers:  # or the short name would follow the folder
        data.append(f"--data=project_name={complete(request.pattern, {})['project_name']}")
    command = ("-m", "generator", "new", request.pattern, request.output / "project", "--defaults", *data)
    return run("python", *command, cwd=request.templates)


# One way for each program that judges answers, and all the ways there are.
JUDGES: dict[str, Way] = {
    "cookiecutter": cookiecutter_directory,
    "copier": copier_copy,
    "serverless-templates": command_line,
}
WAYS: dict[str, Way] = {
    "cookiecutter --directory": cookiecutter_directory,
    "cookiecutter path": cookiecutter_path,
    "cookiecutter relative path": cookiecutter_relative_path,
    "cookiecutter zip": cookiecutter_zip,
    "cookiecutter git url": cookiecutter_git_url,
    "cookiecutter menu": cookiecutter_menu,
    "copier copy": copier_copy,
    "copier recopy": copier_recopy,
    "cruft create": cruft_create,
    "sam init": sam_init,
    "serverless-templates new": command_line,
}


def create(way: Way, request: Request) -> Path:
    """The project that `way` creates; an AssertionError with what it printed when it creates none."""
    request.output.mkdir(parents=True, exist_ok=True)
    done = way(request)
    assert done.returncode == 0, done.stdout + done.stderr
    (project,) = request.output.iterdir()
    return project


def complete(pattern: str, given: Mapping[str, str]) -> dict[str, str]:
    """`given`, and the default of every other question."""
    return defaults(CATALOGUE.questions_of(pattern), given)
