#!/usr/bin/env bash
# Makes experiments/overfitting/RESULTS*.md anew: a pack and two bases that nothing was tuned on, every condition of the
# configs with three seeds, and the tables. Takes hours on two cores; a second call goes on where the first was stopped.
# Everything lies in build/results (or $RESULTS_ROOT).
set -euo pipefail
cd "$(dirname "$0")/.."

root=${RESULTS_ROOT:-build/results}
pack=$root/overfitting/data_pack
bin=build/release/bin

scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release -- --quiet >&2
[[ -d $pack ]] || scripts/made_up_pack.sh "$root" 2311

# sweep BASE CONFIG
sweep() {
  "$bin/safe-trainer" --quiet sweep "experiments/overfitting/configs/$2.json" --pack-root "$pack" \
    --base "$root/$1/vl" --audio-encoder "$root/$1/audio" --output-root "$root/runs/$1_$2" \
    --feature-cache "$root/$1/features"
}
for base in first:7 second:8; do
  [[ -d $root/${base%:*}/vl ]] ||
    "$bin/safe-trainer" --quiet make-base --pack "$pack" --out "$root/${base%:*}" --seed "${base#*:}"
done
sweep first ablation
sweep second ablation
sweep first placements
sweep first details

# report FILE RUNS...
report() { "$bin/safe-trainer" --quiet report "${@:2}" --markdown "experiments/overfitting/$1" >/dev/null; }
report RESULTS.md "$root"/runs/first_ablation/* "$root"/runs/first_placements/*
report RESULTS_second_base.md "$root"/runs/second_ablation/*
report RESULTS_details.md "$root"/runs/first_details/*
