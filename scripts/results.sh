#!/usr/bin/env bash
# Makes experiments/overfitting/RESULTS*.md anew: a pack and two bases that nothing was tuned on, the second primary
# contrast of experiments/overfitting/PRIMARY.md with five seeds on each base, the weight of KL with five others and rivals,
# single mechanisms and other numbers of retention questions with three on the first, and the tables. Takes about four hours
# on two cores by reckoning; a second call goes on where the first was stopped. Everything lies in build/results/2611_96 (or
# $RESULTS_ROOT).
set -euo pipefail
cd "$(dirname "$0")/.."

# Named by the pack's seed and the bases' width, so that nothing of another edition is taken for this one's.
export root=${RESULTS_ROOT:-build/results/2611_96}
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
[[ -d $pack ]] || scripts/made_up_pack.sh "$root" 2611 9000 1500 500

make_base() { # NAME SEED
  "$bin/safe-trainer" --quiet --threads "$threads" make-base --pack "$pack" --out "$root/$1" --width 96 \
    --batch-size 96 --lr 1e-3 --steps 7200 --seed "$2"
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
sweep first second_primary
sweep second second_primary
sweep first kl_weight
sweep first rivals
sweep first scarcity
END

report() { # FILE PRIMARY RUNS...
  "$bin/safe-trainer" --quiet report "${@:3}" --primary "$2" --markdown "experiments/overfitting/$1" >/dev/null
}
null_space='soft_retention, 32 questions -> full_safe, 32 questions'
report RESULTS.md "$null_space" "$root"/runs/first_{second_primary,rivals,scarcity}/*
report RESULTS_second_base.md "$null_space" "$root"/runs/second_second_primary/*
report RESULTS_kl_weight.md 'soft_retention, KL 0.1 -> soft_retention, KL 1' "$root"/runs/first_kl_weight/*
