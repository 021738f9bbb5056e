#!/usr/bin/env bash
# The rooms of the code as a Markdown table: how large each is, and from which it may include. The rooms stand in the
# CMakeLists.txt files, and tests/unit/common/test_rooms.cpp holds every include against them.
#   scripts/rooms.sh
set -euo pipefail
cd "$(dirname "$0")/.."

echo '| room | sources | lines | may include from |'
echo '|---|---|---|---|'
for list in common manifest packer trainer; do
  # One room a line: its folder, then the words behind it up to the closing bracket.
  tr '\n' ' ' <"$list/CMakeLists.txt" | grep -oE 'safe_room\([^)]*\)' | while read -r room; do
    read -r -a words <<<"$(sed -E 's/safe_room\(//; s/\)//' <<<"$room")"
    uses=() uses_follow=0
    for word in "${words[@]:1}"; do
      case $word in
        USES) uses_follow=1 ;;
        LIBRARIES | TORCH) uses_follow=0 ;;
        *) [[ $uses_follow == 0 ]] || uses+=("$word") ;;
      esac
    done
    folder=${words[0]}
    sources=$(find "$folder" -maxdepth 1 -name '*.cpp' | wc -l)
    lines=$(find "$folder" -maxdepth 1 -name '*.?pp' -exec cat {} + | wc -l)
    joined=$(printf ', %s' "${uses[@]:-–}")
    echo "| $folder | $sources | $lines | ${joined:2} |"
  done
done
