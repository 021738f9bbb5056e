#!/usr/bin/env bash
# Runs each fuzz target for a time, JOBS of them side by side (one a processor), and prints what came of it.
#   scripts/fuzz.sh [SECONDS [TARGET...]]   SECONDS of each target, 600 if not given; all targets if none is named
# Inputs that reached new code stay in build/fuzz/corpus/TARGET, and the next run begins with them; what a target
# stumbled over lies in build/fuzz/found/TARGET. Exit code 1 where any did.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || {
  echo "fuzz.sh: SECONDS must be a whole number above 0, not '$seconds'" >&2
  exit 2
}
targets=("${@:2}")
if [[ ${#targets[@]} -eq 0 ]]; then
  for source in tests/fuzz/*.cpp; do
    target=$(basename "$source" .cpp)
    case $target in replay | seeds) ;; *) targets+=("$target") ;; esac
  done
fi

scripts/setup.sh --dev
build=build/fuzz
cmake --preset fuzz >/dev/null
cmake --build "$build" --target fuzz_seeds "${targets[@]/#/fuzz_}" >/dev/null
seeds=$build/seeds
"$build/bin/fuzz_seeds" "$seeds" >/dev/null

fuzz_one() { # TARGET
  local target=$1 kept=$build/corpus/$1 found=$build/found/$1 log=$build/found/$1.log state=nothing
  local known=("$seeds/$target" "tests/fuzz/corpus/$target")
  [[ -d ${known[1]} ]] || unset 'known[1]'
  [[ -d ${known[0]} ]] || known=("${known[@]:1}")
  mkdir -p "$kept" "$found"
  local TIMEFORMAT='%U %S' spent
  spent=$({ time "$build/bin/fuzz_$target" "-max_total_time=$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 "-artifact_prefix=$found/" "$kept" "${known[@]}" >"$log" 2>&1; } 2>&1) || state="stopped: $log"
  value() { sed -n "s/^stat::$1: *//p" "$log"; }
  printf '| %s | %s | %s | %s | %s | %s |\n' "$target" "$(awk '{ print int($1 + $2) }' <<<"$spent")" "$(value number_of_executed_units)" \
    "$(value new_units_added)" "$(value peak_rss_mb)" "$state"
  [[ $state == nothing ]]
}
export -f fuzz_one
export build seeds seconds

echo "| target, $seconds s each | seconds of processor | runs | inputs that reached new code | memory at most, MiB | found |"
echo '|---|---|---|---|---|---|'
# xargs ends with 123 where one of them did not end with 0.
# shellcheck disable=SC2016 # the argument is put in by the inner shell
printf '%s\0' "${targets[@]}" | xargs -0 -P "${JOBS:-$(nproc)}" -I '{}' bash -c 'fuzz_one "$1"' fuzz_one '{}' || exit 1
