#!/usr/bin/env bash
# What an image of Debian 12 with the programs in it is made of; Containerfile and apptainer.def call it.
#   scripts/image.sh OUT    builds the programs and leaves them in OUT, with OUT/install.sh, which installs in another
#                           Debian 12 the packages that they need there and checks that they start
# Needs root.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$1
scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release -- --quiet
mkdir -p "$out/bin"
cp build/release/bin/safe-* build/release/bin/*.so "$out/bin/"
strip "$out"/bin/*

# The packages of what the programs, and the modules that they load, name themselves; what those need apt finds. Debian's
# database knows some libraries by /lib, which is /usr/lib.
needed=$(objdump -p "$out"/bin/* | awk '$1 == "NEEDED" {print $2}' | sort -u)
{
  ldd "$out"/bin/* | awk '$2 == "=>" && $3 ~ /^\// {print $1, $3}' | sort -u | grep -wFf <(echo "$needed") |
    while read -r _ library; do
      library=$(readlink -f "$library")
      dpkg-query -S "$library" 2>/dev/null || dpkg-query -S "${library#/usr}"
    done | cut -d: -f1
  printf '%s\n' ca-certificates gnuplot-nox libopenblas0-openmp # which are loaded, or run, by name
} | sort -u >"$out/packages"

cat >"$out/install.sh" <<'END'
#!/bin/sh
set -eu
here=$(dirname "$0")
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2046 # one word a package
apt-get install -y -qq --no-install-recommends $(cat "$here/packages") >/dev/null
rm -rf /var/lib/apt/lists/*
for program in safe-manifest safe-packer safe-report safe-trainer; do "$here/bin/$program" --version; done
END
chmod +x "$out/install.sh"
