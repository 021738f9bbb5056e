#!/usr/bin/env python3
"""How fast safe-packer is beside what people use today, as ratios of one run.

    cmake --build build/lean --target safe-packer bench_pack
    tests/bench/speed.py [--bin build/lean/bin] [--work build/bench] [--rows 1,2,5] [--repeats 5]

Every row runs its peer and then ours, --repeats times in turn, and states the median of the ratios of neighbours: on
a machine that others use too, both feel the same crowd. The page cache is warm. Peers: openssl, sha256sum, tar, pigz,
zstd, unzip (apt-get install pigz zstd unzip), and bagit from PyPI in a venv of its own; a row whose peer is not there
says so. Exit code 1 where a goal is missed.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

THREADS = len(os.sched_getaffinity(0))


def run(command, **options):
    """Runs a shell command that must succeed; its standard output."""
    done = subprocess.run(['bash', '-c', 'set -euo pipefail; ' + command], stdout=subprocess.PIPE, **options)
    if done.returncode != 0:
        sys.exit(f'speed.py: this failed with {done.returncode}: {command}')
    return done.stdout.decode()


def seconds(command):
    start = time.perf_counter()
    run(command)
    return time.perf_counter() - start


def need(*programs):
    missing = [p for p in programs if shutil.which(p) is None]
    return f'needs {" ".join(missing)}' if missing else None


class Bench:
    def __init__(self, arguments):
        self.bin = Path(arguments.bin).resolve()
        self.work = Path(arguments.work).resolve()
        self.repeats = arguments.repeats
        self.zip_bytes = arguments.zip_bytes
        self.packer = self.bin / 'safe-packer'
        self.corpus = self.work / 'corpus'
        self.pack = self.work / 'data_pack'
        self.missed = False

    def prepare(self):
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.corpus / 'E/val_manifest.json').exists():
            run(f'{self.bin}/bench_pack corpus {self.corpus}')
        run(f'{self.bin}/bench_pack build {self.corpus} subset_manifest.json {self.corpus}/vqa {self.pack}')
        for suffix in ('tar', 'tar.zst'):
            run(f'{self.packer} archive {self.pack} -o {self.work}/x.{suffix} --quiet 2>/dev/null')
        self.pack_bytes = sum(f.stat().st_size for f in self.pack.rglob('*') if f.is_file())

    # clean: what to remove before each command, outside of what is timed.
    def race(self, peer, ours, clean=()):
        """Times of the peer and of ours, in turn."""
        times = []
        for _ in range(self.repeats):
            pair = []
            for command in (peer, ours):
                run('rm -rf ' + ' '.join(str(c) for c in clean) if clean else 'true')
                pair.append(seconds(command))
            times.append(pair)
        return times

    def say(self, row, what, against, ratio, goal, good):
        verdict = 'reached' if good else 'MISSED'
        self.missed = self.missed or not good
        print(f'| {row} | {what} | {against} | {goal} | {ratio} | {verdict} |', flush=True)

    def faster(self, row, what, against, goal, times):
        ratio = statistics.median(peer / ours for peer, ours in times)
        ours = statistics.median(t[1] for t in times)
        self.say(row, what, against, f'{ratio:.1f}× ({ours:.2f} s)', f'≥ {goal}×', ratio >= goal)

    def within(self, row, what, against, goal, times, note='', holds=True):
        ratio = statistics.median(ours / peer for peer, ours in times)
        ours = statistics.median(t[1] for t in times)
        self.say(row, what, against, f'{ratio:.2f} ({ours:.2f} s){note}', f'≤ {goal}', ratio <= goal and holds)

    def hash_limit(self, row, what, target):
        """OpenSSL's own loop over one hot buffer on as many processes as we have threads: nothing can be faster."""
        ratios = []
        for _ in range(self.repeats):
            said = run(f'openssl speed -elapsed -multi {THREADS} -evp sha256 -bytes 131072 -seconds 1 2>/dev/null')
            limit = float(re.findall(r'^(?:evp|sha256|SHA2?-?256)\s+([\d.]+)k', said, re.M | re.I)[-1]) * 1000
            took = seconds(f'{self.packer} verify {target} --quiet 2>/dev/null')
            ratios.append(self.pack_bytes / took / limit)
        ratio = statistics.median(ratios)
        self.say(row, what, f'openssl speed × {THREADS}', f'{ratio:.2f}', '≥ 0.85', ratio >= 0.85)

    def verify_folder(self, row):
        self.hash_limit(row, 'verify a folder', self.pack)

    def verify_tar(self, row):
        self.hash_limit(row, 'verify a .tar', self.work / 'x.tar')

    def sha256sum(self, row):
        self.faster(row, 'verify a folder', 'sha256sum -c', 10,
                    self.race(f'cd {self.pack} && sha256sum -c --quiet --strict SHA256SUMS',
                              f'{self.packer} verify {self.pack} --quiet 2>/dev/null'))

    def bagit(self, row):
        venv, bag = self.work / 'venv', self.work / 'bag'
        if not (venv / 'bin/bagit.py').exists():
            made = subprocess.run(['bash', '-c', f'python3 -m venv {venv} && {venv}/bin/pip install -q bagit setuptools'],
                                  stdout=sys.stderr)
            if made.returncode != 0:
                return print(f'| {row} | verify a folder | bagit-python | | not run: needs python3-venv and PyPI | |')
        if not bag.exists():
            shutil.copytree(self.pack, bag)
            run(f'{venv}/bin/python {venv}/bin/bagit.py --quiet {bag}')
        self.faster(row, 'verify a folder', 'bagit.py --validate', 3,
                    self.race(f'{venv}/bin/python {venv}/bin/bagit.py --quiet --validate {bag}',
                              f'{self.packer} verify {self.pack} --quiet 2>/dev/null'))

    def build(self, row):
        copy, made = self.work / 'copy', self.work / 'made/data_pack'
        self.within(row, 'build (nothing decoded)', 'cp -r, sync -f', 1.25,
                    self.race(f'mkdir {copy} && cp -r {self.corpus}/audiocaps {self.corpus}/vqa {copy} && sync -f {copy}',
                              f'{self.bin}/bench_pack build {self.corpus} subset_manifest.json {self.corpus}/vqa {made}',
                              clean=(copy, made.parent)))
        run(f'rm -rf {copy} {made.parent}')

    def verify_zst(self, row):
        out = self.work / 'unpacked'
        self.faster(row, 'verify a .tar.zst, nothing unpacked', 'tar x, sha256sum -c', 4,
                    self.race(f'mkdir {out} && tar xf {self.work}/x.tar.zst -C {out} && cd {out}/data_pack && '
                              'sha256sum -c --quiet --strict SHA256SUMS',
                              f'{self.packer} verify {self.work}/x.tar.zst --quiet 2>/dev/null', clean=(out,)))
        run(f'rm -rf {out}')

    def archive(self, row, what, suffix, against, compressor):
        ours, peer = self.work / f'ours.{suffix}', self.work / f'peer.{suffix}'
        times = self.race(f'tar c -C {self.work} data_pack | {compressor} > {peer} && sync {peer}',
                          f'{self.packer} archive {self.pack} -o {ours} --quiet 2>/dev/null')
        sizes = ours.stat().st_size / peer.stat().st_size
        self.within(row, what, against, 1.1, times, f', {sizes:.3f} of its size', sizes < 1.0005)

    def tgz(self, row):
        self.archive(row, 'archive as .tgz', 'tgz', f'tar c \\| pigz -p {THREADS}', f'pigz -p {THREADS}')

    def zst(self, row):
        self.archive(row, 'archive as .tar.zst', 'tar.zst', f'tar c \\| zstd -T{THREADS}',
                     f'zstd -q -T{THREADS} --check -c')

    def out_of_zip(self, row):
        coco, out, made = self.work / 'val2014.zip', self.work / 'unpacked', self.work / 'made/data_pack'
        if not coco.exists():
            run(f'{self.bin}/bench_pack zip {coco} {self.zip_bytes}')
        names = self.work / 'names'
        names.write_text('\n'.join(sorted(p.name for p in (self.pack / 'images').iterdir())) + '\n')
        size = coco.stat().st_size / 1e9
        self.faster(row, f'500 images out of a zip of 40,504 ({size:.1f} GB)', 'unzip, then cp', 20,
                    self.race(f'mkdir -p {out}/500 && unzip -q {coco} -d {out} && '
                              f'(cd {out}/val2014 && xargs cp -t {out}/500 < {names}) && sync -f {out}/500',
                              f'{self.bin}/bench_pack build {self.corpus} one_clip.json {coco} {made}',
                              clean=(out, made.parent)))
        run(f'rm -rf {out} {made.parent}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default='build/lean/bin')
    parser.add_argument('--work', default='build/bench')
    parser.add_argument('--rows', default='')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--zip-bytes', type=int, default=163_840, help='of each of the zip\'s 40,504 pictures')
    arguments = parser.parse_args()
    bench = Bench(arguments)
    rows = [(bench.verify_folder, need('openssl')), (bench.verify_tar, need('openssl')),
            (bench.sha256sum, need('sha256sum')), (bench.bagit, None), (bench.build, need('cp')),
            (bench.verify_zst, need('tar', 'zstd')), (bench.tgz, need('tar', 'pigz')), (bench.zst, need('tar', 'zstd')),
            (bench.out_of_zip, need('unzip'))]
    wanted = {int(r) for r in arguments.rows.split(',') if r} or set(range(1, len(rows) + 1))
    bench.prepare()
    load = os.getloadavg()[0]
    print(f'{THREADS} threads, {bench.pack_bytes / 1e6:.0f} MB, {bench.repeats} repetitions, load {load:.1f}\n')
    print('| row | ours | against | goal | measured | |\n|---|---|---|---|---|---|')
    for number, (row, missing) in enumerate(rows, 1):
        if number in wanted:
            print(f'| {number} | {row.__name__} | | | not run: {missing} | |') if missing else row(number)
    sys.exit(1 if bench.missed else 0)


if __name__ == '__main__':
    main()
