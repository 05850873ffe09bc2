"""Makes the project that cookiecutter has just copied its owner's. Runs inside the new project."""

import json
import sys

# Cookiecutter renders this file. JSON in a raw string stands any answer: quotes come as \u0027.
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

sys.path.insert(0, ANSWERS["_repo_dir"])

from hooks.scaffold.personalise import main  # noqa: E402

main(ANSWERS)
