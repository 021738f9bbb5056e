#!/usr/bin/env bash
# The whole job on made-up data: sources -> manifests -> pack -> archive -> extract -> verify -> base -> three
# variants -> comparison. Everything lies in build/demo (or $DEMO_ROOT); a second call reuses the programs, the
# sources and the base.
#   scripts/demo.sh [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."

seed=${1:-42}
root=${DEMO_ROOT:-$PWD/build/demo}
sources=$root/data          # where a researcher has AudioCaps and VQA/COCO
here=$root/overfitting      # the machine that builds the pack
cluster=$root/cluster       # the machine that trains
archive=$here/safe_overfit_pack.tgz
bin=$PWD/build/release/bin

started=$SECONDS
step() { printf '\n[%3d s] %s\n' $((SECONDS - started)) "$*" >&2; }

step "packages"
scripts/setup.sh
step "programs"
cmake --preset release >/dev/null
cmake --build --preset release -- --quiet >&2
mkdir -p "$cluster"

step "sources, manifests, pack"
scripts/made_up_pack.sh "$root"
pack_id=$(sha256sum "$here/data_pack/SHA256SUMS" | cut -d' ' -f1)

step "archive, carried to the cluster, extracted, verified"
rm -f "$archive"
"$bin/safe-packer" archive --quiet "$here/data_pack" -o "$archive"
"$bin/safe-packer" extract --quiet "$archive" --dest "$cluster/data_pack" --expect "$pack_id"
"$bin/safe-packer" verify --quiet "$cluster/data_pack" --expect "$pack_id"
(cd "$cluster/data_pack" && sha256sum --quiet -c --strict SHA256SUMS) # the same with coreutils

step "base: a tiny LLaVA and CLAP, frozen from here on"
"$bin/safe-trainer" --quiet make-base --pack "$cluster/data_pack" --out "$cluster/base"

# With 600 retention questions KL alone keeps nearly everything; with 32 the mechanisms can differ.
step "three variants, side by side as the tasks of a job array"
runs=$cluster/runs/$(date -u +%Y%m%d_%H%M%S)
tasks=()
trap 'kill -TERM "${tasks[@]}" 2>/dev/null || true' EXIT
for task in 0 1 2; do
  env SLURM_ARRAY_TASK_ID="$task" SAFE_TRAINER="$bin/safe-trainer" \
    PACK_ROOT="$cluster/data_pack" BASE="$cluster/base/vl" AUDIO_ENCODER="$cluster/base/audio" \
    OUTPUT_ROOT="$runs" SEED="$seed" VAL_SOURCE=pack_vl VAL_SIZE=500 TRAIN_BS=32 NUM_EPOCHS=96 NUM_WORKERS=1 \
    GEN_MAX_NEW_TOKENS=16 scripts/overfitting_test.sh --lr-projector 5e-3 --lr-adapter 5e-3 --pack-id "$pack_id" \
    --retention-size 32 --null-space-min-samples 32 --eval-beyond-stream &
  tasks+=($!)
done
for task in "${tasks[@]}"; do wait "$task"; done
trap - EXIT

step "comparison"
"$bin/safe-trainer" --quiet report "$runs"/*/ -o "$runs/report.html" --pack "$cluster/data_pack"
"$bin/safe-trainer" verify-run "$runs/report.html"
cat <<END

  sources    $sources
  manifests  $here/*_manifest.json
  pack       $here/data_pack
  pack id    $pack_id
  archive    $archive
  extracted  $cluster/data_pack
  base       $cluster/base/{vl,audio}
  runs       $runs
  report     $runs/report.html
END
step "done"
