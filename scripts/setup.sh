#!/usr/bin/env bash
# Installs what building, testing and running need on Debian 12: the one list of packages. Does nothing, and needs
# no network, where all of them are there.
#   scripts/setup.sh          to build and run
#   scripts/setup.sh --dev    also what the tests and checks use
set -euo pipefail

packages=(
  build-essential cmake ninja-build pkg-config
  libarchive-dev libcli11-dev libfmt-dev libicu-dev libjpeg-dev libmpg123-dev libpng-dev libsndfile1-dev libsoxr-dev
  libssl-dev libzip-dev libzstd-dev nlohmann-json3-dev zlib1g-dev
  libtorch-dev
  libgloo-dev # headers of what libtorch-dev has for several processes
  libopencv-imgproc-dev # compares pictures and sounds in safe-packer leaks; all else builds and runs without it
  gnuplot-nox # draws the figures of safe-trainer report
  # Debian's LibTorch computes with whatever BLAS is installed; the reference one is 35 times slower than this.
  libopenblas0-openmp
)
if [[ ${1:-} == --dev ]]; then
  packages+=(clang clang-format clang-tidy doctest-dev git libclang-rt-14-dev locales openssl python3 shellcheck)
fi

missing=()
for package in "${packages[@]}"; do
  if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
    missing+=("$package")
  fi
done
[[ ${#missing[@]} -gt 0 ]] || exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  command -v sudo >/dev/null || {
    echo "setup.sh: run as root, or install: ${missing[*]}" >&2
    exit 3
  }
  as_root=(sudo)
fi
echo "setup.sh: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
