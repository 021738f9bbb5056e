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

# The packages of every library that a program, or a module that it loads, is linked with; and what is loaded by name.
libraries() {
  ldd "$out"/bin/* | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u | while read -r library; do
    readlink -f "$library"
  done
}
{
  libraries | xargs dpkg-query -S | cut -d: -f1 | sort -u
  printf '%s\n' ca-certificates gnuplot-nox libopenblas0-openmp
} >"$out/packages"

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
