#!/usr/bin/env bash
# deploy.sh [NAME…]: makes the named images, or all, and rolls out what changed.
set -euo pipefail
source "$(dirname "$0")/places.sh"

started=$SECONDS
"$scripts/images.sh" "$@"
"$scripts/rollout.sh"
echo "All in $((SECONDS - started))s."
