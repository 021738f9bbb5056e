#!/usr/bin/env bash
# Builds safe-trainer, safe-packer, safe-manifest, test_train_trainer and bench_kl_step (or the targets named) against
# the LibTorch inside a Python environment's package torch, version 2.4 or newer, for CUDA or for the CPU alone.
#   scripts/build_for_torch.sh PYTHON_OR_VENV [BUILD_DIR] [TARGET...]
#
# BUILD_DIR is build/torch-<version> if not given. The programs are in BUILD_DIR/bin; they look for LibTorch where it
# was when they were built, and for the few libraries that Debian has no static form of in bin/lib, where this script
# puts copies. To carry them to another machine, copy bin/, and say there where its torch of the same version is:
#   LD_LIBRARY_PATH=$(python3 -c 'import torch; print(torch.__path__[0] + "/lib")') bin/safe-trainer ...
# That machine needs the C and C++ libraries that the program was built with, or newer ones.
#
# Several processes that share a run need the headers of Gloo, which the package does not bring: GLOO_INCLUDE names a copy of
# github.com/pytorch/gloo of the month in which that torch was released. Without it a run has one process.
#
# CUDA is not needed to build: the program links LibTorch's CPU half and loads the other where there is a driver.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $# -ge 1 ]] || {
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
}
python=$1
[[ ! -d $python ]] || python=$1/bin/python
[[ -n $(command -v "$python") ]] || {
  echo "build_for_torch.sh: $1 is no Python and no environment with bin/python in it" >&2
  exit 3
}
# torch need not be imported, which would need the CUDA libraries that it was built for.
found=$("$python" - <<'END'
import importlib.util, pathlib, re, sys
spec = importlib.util.find_spec("torch")
if spec is None or spec.origin is None:
    sys.exit("build_for_torch.sh: no package torch in " + sys.prefix + "; install one with pip")
folder = pathlib.Path(spec.origin).parent
version = re.search(r"__version__ = '([^']+)'", (folder / "version.py").read_text()).group(1)
if not (folder / "lib/libtorch_cpu.so").exists() or not (folder / "include/torch/csrc/api/include/torch/version.h").exists():
    sys.exit(f"build_for_torch.sh: {folder} has no LibTorch with its headers")
if tuple(map(int, version.split(".")[:2])) < (2, 4):
    sys.exit(f"build_for_torch.sh: {folder} is torch {version}; 2.4 or newer is needed")
# A function with a string in its name tells which strings the library was compiled with.
new_abi = b"_ZN3c106detail14torchCheckFailEPKcS2_jRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
print(folder, version, "ON" if new_abi in (folder / "lib/libc10.so").read_bytes() else "OFF")
END
) || exit 3
read -r torch version new_abi <<<"$found"
build=${2:-build/torch-$version}
targets=("${@:3}")
[[ ${#targets[@]} -gt 0 ]] || targets=(safe-trainer safe-packer safe-manifest test_train_trainer bench_kl_step)
echo "build_for_torch.sh: torch $version in $torch, into $build" >&2

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSAFE_VISION=OFF -DSAFE_TORCH="$torch" \
  -DSAFE_TORCH_NEW_ABI="$new_abi" -DSAFE_GLOO_INCLUDE="${GLOO_INCLUDE:-}" >/dev/null
cmake --build "$build" --target "${targets[@]}" -- --quiet

# What is neither LibTorch's nor the C and C++ libraries' goes along.
mkdir -p "$build/bin/lib"
for program in "$build"/bin/*; do
  [[ -f $program ]] || continue
  ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// {print $3}'
done | sort -u | while read -r library; do
  case $(basename "$library") in
    libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | ld-linux* | libstdc++.so.* | libgcc_s.so.*) ;;
    libtorch* | libc10* | libgomp* | libcu* | libnv*) ;;
    *) [[ $library == "$PWD/$build/bin/lib/"* ]] || cp -L "$library" "$build/bin/lib/" ;;
  esac
done
echo "build_for_torch.sh: $build/bin/safe-trainer needs a C library with" \
  "$(objdump -T "$build"/bin/* 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)," \
  "a C++ library with $(objdump -T "$build"/bin/* 2>/dev/null | grep -o 'GLIBCXX_[0-9.]*' | sort -Vu | tail -1);" \
  "beside it: $(cd "$build/bin/lib" && echo *)" >&2
