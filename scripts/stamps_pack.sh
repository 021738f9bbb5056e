#!/usr/bin/env bash
# A pack of the experiment's size that nobody drew or recorded for this project: the pictures, sounds and captions of Debian's
# tuxpaint-stamps-default, under the GPL (experiments/overfitting/stamps.py), with the programs of the release build.
#   scripts/stamps_pack.sh ROOT        BIN is the folder of the programs, build/release/bin if not set
# ROOT/data gets the sources (kept where they are there already), ROOT/overfitting the manifests and data_pack.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$1
sources=$root/data
here=$root/overfitting
bin=${BIN:-$PWD/build/release/bin}
licence='GPL-2.0-or-later|https://www.gnu.org/licenses/old-licenses/gpl-2.0.html'

if [[ ! -d $sources ]]; then
  as_root=()
  [[ $(id -u) -eq 0 ]] || as_root=(sudo)
  for package in imagemagick tuxpaint-stamps-default; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$package" >&2
  done
  python3 experiments/overfitting/stamps.py "$sources.part"
  mv "$sources.part" "$sources"
fi

mkdir -p "$here"
m=("$bin/safe-manifest" --quiet)
vqa=$sources/vqa
"${m[@]}" audio --metadata "$sources/audiocaps/train.csv" --subset-size 400 --licence "$licence" --replace \
  --output "$here/subset_manifest.json"
"${m[@]}" audio --split val --metadata "$sources/audiocaps/val.csv" --subset-size 100 --licence "$licence" \
  --exclude "$here/subset_manifest.json" --replace --output "$here/audio_val_manifest.json"
"${m[@]}" val --questions "$vqa/v2_OpenEnded_mscoco_val2014_questions.json" \
  --annotations "$vqa/v2_mscoco_val2014_annotations.json" --subset-size 1000 --replace --output "$here/val_manifest.json"
"${m[@]}" retention --questions "$vqa/retention_questions.json" --annotations "$vqa/retention_annotations.json" \
  --subset-size 600 --exclude "$here/val_manifest.json" --replace --output "$here/retention_manifest.json"
excluded=()
for name in val retention subset audio_val; do excluded+=(--exclude "$here/${name}_manifest.json"); done
"${m[@]}" base --questions "$vqa/v2_OpenEnded_mscoco_train2014_questions.json" \
  --annotations "$vqa/v2_mscoco_train2014_annotations.json" --subset-size 16000 --captions "$sources/audiocaps/train.csv" \
  "${excluded[@]}" --replace --output "$here/base_manifest.json"
"${m[@]}" check "$here"/*_manifest.json
"$bin/safe-packer" build --quiet --manifest "$here/subset_manifest.json" --val-manifest "$here/val_manifest.json" \
  --source-root "$sources/audiocaps" --sources clips --dest-root "$here/data_pack"
