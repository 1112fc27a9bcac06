#!/usr/bin/env bash
# What action.yml runs: one check, as annotations, as SARIF, and as the summary of the job.
set -uo pipefail

summary="$(mktemp)"
trap 'rm -f "$summary"' EXIT

# The words come from the workflow's own author; they are split at spaces and never evaluated.
read -r -a words <<<"${COSTOPT_ARGS:-}"
costopt check --format github --also "sarif=${COSTOPT_SARIF:-costopt.sarif}" \
  --also "markdown=$summary" ${words[@]+"${words[@]}"}
code=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$summary" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"
