"""The Jinja filter ``checked``, which ends the questions with one sentence at a bad answer.

A ``pre_gen_project`` hook could check, too, but cookiecutter 2.7 shows a traceback when it fails.
"""

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension

from hooks.scaffold.answers import problem_with


class CheckedAnswers(Extension):
    """Adds ``{{ answer | checked('slug') }}``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters["checked"] = checked


def checked(answer: str, kind: str) -> str:
    """Return ``answer``, or stop cookiecutter with a sentence."""
    problem = problem_with(kind, answer)
    if problem:
        raise FailedHookException(problem)
    return answer
