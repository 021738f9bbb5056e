#!/usr/bin/env bash
# Made-up sources, manifests and a pack of the experiment's size, with the programs of the release build.
#   scripts/made_up_pack.sh ROOT [SEED [VAL_QUESTIONS [VAL_SIZE [UNLIKE_SIZE]]]]
# ROOT/data is where a researcher has AudioCaps and VQA/COCO (kept where it is there already), ROOT/overfitting gets the
# manifests and data_pack.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$1
val_questions=${3:-3000} # of the made-up val2014 tables, which val, retention and unlike are chosen from
val_size=${4:-500}
unlike_size=${5:-0} # 0: all that there are
sources=$root/data
here=$root/overfitting
bin=$PWD/build/release/bin

# Sounds, pictures and questions in the layouts of AudioCaps and VQA v2.
[[ -d $sources ]] || "$bin/safe-packer" synthesize --quiet --out "$sources" --clips 600 --questions "$val_questions" \
  --train-questions 24000 --seed "${2:-7}" >&2

mkdir -p "$here"
m=("$bin/safe-manifest" --quiet)
val=(--questions "$sources/vqa/v2_OpenEnded_mscoco_val2014_questions.json"
  --annotations "$sources/vqa/v2_mscoco_val2014_annotations.json")
train=(--questions "$sources/vqa/v2_OpenEnded_mscoco_train2014_questions.json"
  --annotations "$sources/vqa/v2_mscoco_train2014_annotations.json")
"${m[@]}" audio --metadata "$sources/audiocaps/train.csv" --subset-size 400 --replace --output "$here/subset_manifest.json"
"${m[@]}" audio --split val --metadata "$sources/audiocaps/val.csv" --subset-size 100 \
  --exclude "$here/subset_manifest.json" --replace --output "$here/audio_val_manifest.json"
"${m[@]}" val "${val[@]}" --subset-size "$val_size" --replace --output "$here/val_manifest.json"
"${m[@]}" retention "${val[@]}" --subset-size 600 --exclude "$here/val_manifest.json" \
  --replace --output "$here/retention_manifest.json"
"${m[@]}" unlike "${val[@]}" --subset-size "$unlike_size" --replace --output "$here/unlike_manifest.json"
"${m[@]}" base "${train[@]}" --subset-size 20000 --captions "$sources/audiocaps/train.csv" \
  --exclude "$here/val_manifest.json" --exclude "$here/retention_manifest.json" \
  --exclude "$here/subset_manifest.json" --exclude "$here/audio_val_manifest.json" --exclude "$here/unlike_manifest.json" \
  --replace --output "$here/base_manifest.json"
"${m[@]}" check "$here"/*_manifest.json

# Collected, cut, hashed, sealed.
"$bin/safe-packer" build --quiet --manifest "$here/subset_manifest.json" --val-manifest "$here/val_manifest.json" \
  --source-root "$sources/audiocaps" --dest-root "$here/data_pack"
