#!/usr/bin/env python3
"""Makes a wheel of what scripts/portable.sh made, so that pip puts safe-packer, safe-manifest and safe-report into a
Python environment, without root, whatever the C library there (x86-64 Linux).
  scripts/wheel.py ARCHIVE.tar.gz [FOLDER]    writes FOLDER/safe_packs-VERSION-py3-none-linux_x86_64.whl (default: build)
The same bytes from the same archive."""

import base64
import hashlib
import pathlib
import re
import sys
import tarfile
import zipfile

PROGRAMS = ["safe-manifest", "safe-packer", "safe-report"]
LAUNCHER = '''"""safe-packer, safe-manifest and safe-report, with all that they need. Each is a program, not a module."""

import os
import sys


def run():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", os.path.basename(sys.argv[0]))
    os.execv(program, [program] + sys.argv[1:])
'''
# Any C library: the programs bring theirs.
TAG = "py3-none-linux_x86_64"
METADATA = """Metadata-Version: 2.1
Name: safe-packs
Version: {version}
Summary: Hashed, signed data packs of clips and questions: choose the samples, build, verify, report
Requires-Python: >=3.6
"""


def main(archive, folder):
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        tops = {member.name.partition("/")[0] for member in members}
        version = re.fullmatch(r"safe-packs-(.+)-x86_64-linux", tops.pop()) if len(tops) == 1 else None
        if not version or not all(member.isfile() or member.isdir() for member in members):
            sys.exit(f"wheel.py: {archive} is not an archive of scripts/portable.sh")
        files = {  # path in the wheel -> (bytes, mode)
            "safe_packs/" + member.name.partition("/")[2]: (tar.extractfile(member).read(), member.mode)
            for member in members
            if member.isfile()
        }
    version = version.group(1)
    info = f"safe_packs-{version}.dist-info/"
    entries = "".join(f"{program} = safe_packs:run\n" for program in PROGRAMS)
    files["safe_packs/__init__.py"] = LAUNCHER.encode(), 0o644
    files[info + "METADATA"] = METADATA.format(version=version).encode(), 0o644
    files[info + "WHEEL"] = f"Wheel-Version: 1.0\nGenerator: wheel.py\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode(), 0o644
    files[info + "entry_points.txt"] = f"[console_scripts]\n{entries}".encode(), 0o644

    def record(path):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[path][0]).digest()).rstrip(b"=").decode()
        return f"{path},sha256={digest},{len(files[path][0])}\n"

    files[info + "RECORD"] = ("".join(map(record, sorted(files))) + info + "RECORD,,\n").encode(), 0o644
    wheel = pathlib.Path(folder) / f"safe_packs-{version}-{TAG}.whl"
    part = wheel.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(files):
            content, mode = files[path]
            entry = zipfile.ZipInfo(path)  # of 1980
            entry.external_attr = (0o100000 | mode) << 16
            out.writestr(entry, content, zipfile.ZIP_DEFLATED)
    part.rename(wheel)
    print(wheel)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "build")
    except (OSError, tarfile.TarError) as error:
        sys.exit(f"wheel.py: {error}")
