#!/usr/bin/env bash
# What is asked of dependencies: their licences, no two versions of one without a reason, no known weakness, none that is unused.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo=e2e/cluster/cargo.sh
checks=(bans licenses sources)
"$cargo" deny --version
# It is a repository of its own, which not every machine reaches.
if timeout 60 "$cargo" deny fetch db >/dev/null 2>&1; then
    checks+=(advisories)
else
    echo "Skipped known weaknesses of dependencies: their database cannot be had here."
fi
"$cargo" deny --locked check --hide-inclusion-graph "${checks[@]}"
# What others wrote names what they need, for all that it can do.
mapfile -t ours < <(git ls-files '*/Cargo.toml' ':!third-party' | cut -d/ -f1 | sort -u)
"$cargo" machete --skip-target-dir "${ours[@]}"
.ci/features.sh
