#!/bin/sh
# Writes constraints.txt anew: the newest versions that pyproject.toml allows. Needs uv.
set -eu
cd "$(dirname "$0")/.."
{
    echo "# Exact versions that \`make demo\` and \`make test\` install (Python 3.11 to 3.13)."
    echo "# Renew: scripts/renew_constraints.sh, run the tests, commit both."
    # What pip builds the package itself with is named nowhere else.
    { echo "-e .[dev]"; echo hatchling; echo editables; } | uv pip compile - --quiet --universal \
        --python-version 3.11 --no-header --no-annotate --no-emit-index-url "$@" |
        grep -v '^-e '
} >constraints.new
mv constraints.new constraints.txt
