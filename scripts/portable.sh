#!/usr/bin/env bash
# Makes one archive of safe-packer, safe-manifest and safe-report for any x86-64 Linux whose kernel is 3.2 or newer, whatever
# its C library, unpacked anywhere, without root: the programs bring the libraries that they were built with, the
# dynamic loader and the C library included.
#   scripts/portable.sh [OUT.tar.gz]                    default: build/safe-packs-VERSION-x86_64-linux.tar.gz
#   BUILD=build/release scripts/portable.sh [OUT.tar.gz]   of programs that are built there already
# Where it is to run:
#   tar xf safe-packs-*.tar.gz && safe-packs-*/bin/safe-packer verify PACK
# safe-report draws the figures of a page by gnuplot, which is not in it; its tables need nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $(uname -m) == x86_64 ]] || {
  echo "portable.sh: makes archives for x86-64 only, and this is $(uname -m)" >&2
  exit 3
}
scripts/setup.sh
programs=(safe-packer safe-manifest safe-report)
build=${BUILD:-build/portable}
if [[ -z ${BUILD:-} ]]; then
  cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSAFE_TRAINER=OFF -DSAFE_TESTS=OFF >/dev/null
  cmake --build "$build" --target "${programs[@]}" safe-vision >&2
fi
version=$("$build/bin/safe-packer" --version | sed 's/.* //')
name=safe-packs-$version-x86_64-linux
out=${1:-build/$name.tar.gz}

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
root=$place/$name
mkdir -p "$root"/{bin,lib,libexec,licences}

# All libraries that a file needs, the loader among them. OpenCV drags in LAPACK, with which nothing is computed here:
# the reference ones are a tenth of the size of the fast ones.
system=/usr/lib/x86_64-linux-gnu
libraries_of() { LD_LIBRARY_PATH=$system/blas:$system/lapack ldd "$1" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'; }

module=$build/bin/libsafe-vision.so
for program in "${programs[@]}"; do
  strip -o "$root/libexec/$program" "$build/bin/$program"
  # The loader is started by hand, since no program can name it relative to itself. What it preloads where it came
  # from belongs to another C library.
  cat >"$root/bin/$program" <<'EOF'
#!/bin/sh
program=$0
while [ -L "$program" ]; do
  target=$(readlink "$program")
  case $target in /*) program=$target ;; *) program=$(dirname "$program")/$target ;; esac
done
root=$(cd "$(dirname "$program")/.." && pwd) || exit 3
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
export OPENSSL_CONF=/dev/null
exec "$root/lib/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$root/lib" "$root/libexec/PROGRAM" "$@"
EOF
  sed -i "s|/libexec/PROGRAM|/libexec/$program|" "$root/bin/$program"
  chmod 755 "$root/bin/$program"
done
strip --strip-unneeded -o "$root/lib/libsafe-vision.so" "$module" # found beside the loader, which is the process

for file in "${programs[@]/#/$build/bin/}" "$module"; do libraries_of "$file"; done | sort -u | while read -r library; do
  cp -L "$library" "$root/lib/"
  for path in "$library" "$(readlink -f "$library")" "/usr$library" "$(readlink -f "/usr$library")"; do
    package=$(dpkg-query -S "$path" 2>/dev/null | head -n 1 | cut -d: -f1) && break
  done
  cp "/usr/share/doc/$package/copyright" "$root/licences/$package"
done

# The same bytes from the same build.
tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@0 -C "$place" -cf - "$name" |
  gzip -9n >"$out.part"
mv "$out.part" "$out"
echo "$out"
