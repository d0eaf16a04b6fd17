#!/usr/bin/env bash
# Prints the name under which rustup has the compiler of rust-toolchain.toml, where that is not its own: a machine that
# cannot fetch it may have the same one as `stable`.
set -euo pipefail
cd "$(dirname "$0")/.."

pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
command -v rustup >/dev/null || exit 0
! rustup run "$pinned" rustc -V >/dev/null 2>&1 || exit 0
if rustup run stable rustc -V 2>/dev/null | grep -qF "rustc $pinned "; then
    echo stable
fi
