#!/usr/bin/env bash
# Builds everything and passes the tests: once as users run it, and once with AddressSanitizer and
# UndefinedBehaviorSanitizer, by clang++, over everything that parses bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
step() { printf '\n[%4d s] %s\n' $((SECONDS - started)) "$*" >&2; }

step "packages"
scripts/setup.sh --dev

# What a case could not do here is no failure, and must not look like a success either.
skipped() { # BUILD
  grep -h 'skipped: ' "$1/Testing/Temporary/LastTest.log" | sed 's/.*skipped: /  skipped: /' | sort | uniq -c >&2 || true
}

# Tests wait for disks and for each other's processes: one more than there are cores keeps all of them busy.
at_once=$(($(nproc) + 1))

step "form: clang-format, shellcheck"
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run -Werror
git ls-files 'scripts/*.sh' .ci/run | xargs shellcheck

step "build"
cmake --preset dev >/dev/null
cmake --build --preset dev -- --quiet

step "tests"
ctest --preset dev --no-tests=error -j "$at_once"
skipped build/dev

[[ -z ${SAFE_TESTED:-} ]] || touch "$SAFE_TESTED" # for who waits for the programs

step "build with sanitizers"
cmake --preset asan >/dev/null
cmake --build --preset asan -- --quiet

step "tests with sanitizers"
# What reaches a disk is the affair of the tests above; here waiting for it is most of the time.
shm_gib=$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -n 1 || echo 0)
if [[ $shm_gib -ge 4 ]]; then export TMPDIR=/dev/shm; fi
ctest --preset asan --no-tests=error -j "$at_once"
skipped build/asan
step "done"
