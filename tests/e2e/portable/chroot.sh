#!/usr/bin/env bash
# Runs the archive of scripts/portable.sh where nothing of this machine is: in a chroot of an older Debian, or in one
# with a static shell alone; as a user without privileges, whose home cannot be written to.
#   tests/e2e/portable/chroot.sh ARCHIVE BIN PACK RUN bare             needs busybox-static
#   tests/e2e/portable/chroot.sh ARCHIVE BIN PACK RUN bullseye|buster  needs debootstrap and a network
#   tests/e2e/portable/chroot.sh ARCHIVE BIN PACK RUN FOLDER           a copy of the system there
# BIN has the programs as they were built, whose word must be that of the archive's; PACK is a pack's folder, RUN a
# finished run of any pack. Must be root, for the chroot. Prints "ok" last; leaves nothing behind.
set -euo pipefail
archive=$(realpath "$1") built=$(realpath "$2") pack=$(realpath "$3") run=$(realpath "$4") suite=$5

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
world=$place/world
case $suite in
  bare)
    mkdir -p "$world"/{bin,proc,tmp}
    cp /bin/busybox "$world/bin/"
    for applet in sh env readlink dirname; do ln -s busybox "$world/bin/$applet"; done
    ;;
  */*) cp -a "$suite" "$world" ;;
  buster) debootstrap --variant=minbase "$suite" "$world" http://archive.debian.org/debian >"$place/log" ;;
  *) debootstrap --variant=minbase "$suite" "$world" http://deb.debian.org/debian >"$place/log" ;;
esac
mkdir -p "$world"/{opt,home,data}
tar xf "$archive" -C "$world/opt"
cp -r "$pack" "$world/data/pack"
cp -r "$run" "$world/data/run"
"$built/safe-packer" archive "$pack" -o "$world/data/pack.tar" --quiet >/dev/null
chmod -R a+rX "$world"
chmod 1777 "$world/tmp"
bin=$(cd "$world" && ls -d opt/*/bin)

# COMMAND..., as nobody with a home of root's.
inside() {
  # shellcheck disable=SC2016 # the inner shell puts them in
  unshare --mount --fork sh -c 'mount -t proc proc "$0/proc" 2>/dev/null
    exec chroot --userspec=65534:65534 --groups= "$0" env -i HOME=/home PATH="/bin:/usr/bin" "$@"' "$world" "$@"
}

for program in safe-packer safe-manifest safe-report; do inside "/$bin/$program" --version; done
# Of /data/NAME there it says what it says of OURS here: the first word is a digest.
equal() { # PROGRAM VERB NAME OURS
  local there here
  there=$(inside "/$bin/$1" "$2" "/data/$3" --quiet)
  here=$("$built/$1" "$2" "$4" --quiet)
  [[ ${there%% *} == "${here%% *}" ]] || {
    echo "chroot.sh: $1 $2 says '$there' there, and '$here' here" >&2
    exit 1
  }
}
equal safe-packer verify pack "$pack"
equal safe-report verify-run run "$run"
inside "/$bin/safe-packer" verify /data/pack.tar --quiet >/dev/null
inside "/$bin/safe-packer" extract /data/pack.tar --dest /tmp/out --quiet >/dev/null
inside "/$bin/safe-packer" verify /tmp/out --quiet >/dev/null
inside "/$bin/safe-packer" archive /tmp/out -o /tmp/again.tar.zst --quiet >/dev/null
inside "/$bin/safe-packer" verify /tmp/again.tar.zst --quiet >/dev/null
inside "/$bin/safe-packer" leaks /data/pack --quiet >/dev/null # loads OpenCV
inside "/$bin/safe-report" report /data/run -o /tmp/report.html >/dev/null # without gnuplot, and says so
inside "/$bin/safe-report" verify-run /tmp/report.html --runs /data --quiet >/dev/null
echo ok
