#!/usr/bin/env bash
# Makes experiments/overfitting/RESULTS*.md anew: a pack and two bases that nothing was tuned on, every condition of the
# configs with three seeds, and the tables. Takes about two hours on two cores; a second call goes on where the first was
# stopped. Everything lies in build/results (or $RESULTS_ROOT).
set -euo pipefail
cd "$(dirname "$0")/.."

export root=${RESULTS_ROOT:-build/results}
export pack=$root/overfitting/data_pack
export bin=build/release/bin
# A run is small: several side by side, on few threads each, are done sooner than one after the other. Threads change no
# byte of them.
cores=$(nproc)
at_once=$((cores < 4 ? cores : 4))
export threads=$((cores / at_once))

scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release -- --quiet
[[ -d $pack ]] || scripts/made_up_pack.sh "$root" 2311

make_base() { # NAME SEED
  [[ -d $root/$1/vl ]] ||
    "$bin/safe-trainer" --quiet --threads "$threads" make-base --pack "$pack" --out "$root/$1" --seed "$2"
}
sweep() { # BASE CONFIG
  "$bin/safe-trainer" --quiet --threads "$threads" sweep "experiments/overfitting/configs/$2.json" \
    --pack-root "$pack" --base "$root/$1/vl" --audio-encoder "$root/$1/audio" --output-root "$root/runs/$1_$2" \
    --feature-cache "$root/$1/features" --device cpu
}
export -f make_base sweep
# Lines of a command and its two words, as many at once as there is room for.
side_by_side() { xargs -L 1 -P "$at_once" bash -euc '"$@"' bash; }
side_by_side <<END
make_base first 7
make_base second 8
END
side_by_side <<END
sweep first ablation
sweep second ablation
sweep first placements
sweep first details
END

# report FILE RUNS...
report() { "$bin/safe-trainer" --quiet report "${@:2}" --markdown "experiments/overfitting/$1" >/dev/null; }
report RESULTS.md "$root"/runs/first_ablation/* "$root"/runs/first_placements/*
report RESULTS_second_base.md "$root"/runs/second_ablation/*
mapfile -t variants < <(grep -lE '"name": "(no_retention|soft_retention|full_safe)"' \
  "$root"/runs/first_ablation/*/config.json | xargs -n 1 dirname)
report RESULTS_details.md "${variants[@]}" "$root"/runs/first_details/*
