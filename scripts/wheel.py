#!/usr/bin/env python3
"""Makes a wheel of what scripts/portable.sh made, so that `pip install --user FILE` puts safe-packer, safe-manifest and
safe-report on a machine without root, whatever its C library (x86-64 Linux).
  scripts/wheel.py ARCHIVE.tar.gz [FOLDER]    writes FOLDER/safe_packs-VERSION-py3-none-manylinux1_x86_64.whl
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
# The programs bring their own C library, so that the oldest tag is true, and the oldest pip takes it.
TAG = "py3-none-manylinux1_x86_64"
METADATA = """Metadata-Version: 2.1
Name: safe-packs
Version: {version}
Summary: Hashed, signed data packs of clips and questions: choose the samples, build, verify, report
Requires-Python: >=3.6
"""


def main(archive, folder):
    files = {}  # path in the wheel -> (bytes, mode)
    with tarfile.open(archive) as tar:
        for member in tar:
            top, _, path = member.name.partition("/")
            version = re.fullmatch(r"safe-packs-(.+)-x86_64-linux", top)
            if not version:
                sys.exit(f"wheel.py: {archive} is not an archive of scripts/portable.sh")
            if member.isfile():
                files["safe_packs/" + path] = tar.extractfile(member).read(), member.mode
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
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "build")
