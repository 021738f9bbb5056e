#!/usr/bin/env python3
"""How fast safe-packer is beside what people use today, as ratios of one run.

    cmake --build build/lean --target safe-packer bench_pack
    tests/bench/speed.py [--bin build/lean/bin] [--work build/bench] [--rows 1,2,5] [--repeats 5]

Every row runs its peer and then ours, once to warm the page cache and then --repeats times in turn, and states the
median of the ratios of neighbours, with the smallest and the largest: on a machine that others use too, both feel the
same crowd. Beside it stands the same ratio of processor time (user and system), which a crowd changes least; goals are
about the wall clock. Peers: openssl, sha256sum, tar, pigz, zstd, unzip (apt-get install pigz zstd unzip), and bagit from
PyPI in a venv of its own; a row whose peer is not there says so. Exit code 1 where a goal is missed.
"""

import argparse
import collections
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

THREADS = len(os.sched_getaffinity(0))


Cost = collections.namedtuple('Cost', 'wall cpu')  # seconds


def run(command):
    """Runs a program (a list) or a shell command (a string) that must succeed; its standard output."""
    arguments = command if isinstance(command, list) else ['bash', '-c', 'set -euo pipefail; ' + command]
    done = subprocess.run(arguments, capture_output=True)
    if done.returncode != 0:
        sys.exit(f'speed.py: this failed with {done.returncode}: {command}\n{done.stderr.decode()}')
    return done.stdout.decode()


def cost(command, output=None):
    """What it takes; what it printed is appended to `output`."""
    def cpu():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    cpu_before, start = cpu(), time.perf_counter()
    said = run(command)
    spent = Cost(time.perf_counter() - start, cpu() - cpu_before)
    if output is not None:
        output.append(said)
    return spent


def spread(ratios, digits):
    return f'{statistics.median(ratios):.{digits}f} ({min(ratios):.{digits}f}–{max(ratios):.{digits}f})'


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

    def verify(self, target):
        # Not through a shell, which takes as long to start as 3 MB take to hash.
        return [str(self.packer), 'verify', str(target), '--quiet']

    # clean: what to remove before each command, outside of what is timed. settle: seconds to wait then, for ext4 tries
    # every inode that was freed in the last five before it takes a new one.
    def race(self, peer, ours, clean=(), settle=0):
        """Costs of the peer and of ours, in turn; the first round only warms the page cache."""
        costs = []
        for _ in range(1 + self.repeats):
            pair = []
            for command in (peer, ours):
                run(['rm', '-rf', *map(str, clean)])
                time.sleep(settle)
                pair.append(cost(command))
            costs.append(pair)
        return costs[1:]

    def say(self, row, what, against, goal, wall, cpu, good):
        self.missed = self.missed or not good
        print(f'| {row} | {what} | {against} | {goal} | {wall} | {cpu} | {"reached" if good else "MISSED"} |', flush=True)

    def faster(self, row, what, against, goal, costs):
        wall = [peer.wall / ours.wall for peer, ours in costs]
        cpu = [peer.cpu / ours.cpu for peer, ours in costs]
        ours = statistics.median(pair[1].wall for pair in costs)
        self.say(row, what, against, f'≥ {goal}×', f'{spread(wall, 1)} × ({ours:.2f} s)', f'{spread(cpu, 1)} ×',
                 statistics.median(wall) >= goal)

    def within(self, row, what, against, goal, costs, note='', holds=True):
        wall = [ours.wall / peer.wall for peer, ours in costs]
        cpu = [ours.cpu / peer.cpu for peer, ours in costs]
        ours = statistics.median(pair[1].wall for pair in costs)
        self.say(row, what, against, f'≤ {goal}', f'{spread(wall, 2)} ({ours:.2f} s){note}', spread(cpu, 2),
                 statistics.median(wall) <= goal and holds)

    def hash_limit(self, row, what, target):
        """OpenSSL's own loop over one hot buffer on as many processes as we have threads: nothing can be faster."""
        run(self.verify(target))
        wall, cpu = [], []
        for _ in range(self.repeats):
            said = []
            peer = cost(f'openssl speed -elapsed -multi {THREADS} -evp sha256 -bytes 131072 -seconds 1', said)
            limit = float(re.findall(r'^(?:evp|sha256|SHA2?-?256)\s+([\d.]+)k', said[0], re.M | re.I)[-1]) * 1000
            ours = cost(self.verify(target))
            wall.append(self.pack_bytes / ours.wall / limit)
            cpu.append(self.pack_bytes / ours.cpu / (limit / peer.cpu))  # in its one second it has hashed `limit` bytes
        self.say(row, what, f'openssl speed × {THREADS}', '≥ 0.85', spread(wall, 2), spread(cpu, 2),
                 statistics.median(wall) >= 0.85)

    def verify_folder(self, row):
        self.hash_limit(row, 'verify a folder', self.pack)

    def verify_tar(self, row):
        self.hash_limit(row, 'verify a .tar', self.work / 'x.tar')

    def sha256sum(self, row):
        self.faster(row, 'verify a folder', 'sha256sum -c', 10,
                    self.race(f'cd {self.pack} && sha256sum -c --quiet --strict SHA256SUMS',
                              self.verify(self.pack)))

    def bagit(self, row):
        venv, bag = self.work / 'venv', self.work / 'bag'
        if not (venv / 'bin/bagit.py').exists():
            made = subprocess.run(['bash', '-c', f'python3 -m venv {venv} && {venv}/bin/pip install -q bagit setuptools'],
                                  stdout=sys.stderr)
            if made.returncode != 0:
                return print(f'| {row} | verify a folder | bagit-python | | not run: needs python3-venv and PyPI | | |')
        if not (bag / 'tagmanifest-sha512.txt').exists():
            run(['rm', '-rf', str(bag)])
            shutil.copytree(self.pack, bag)
            run(f'{venv}/bin/python {venv}/bin/bagit.py --quiet {bag}')
        self.faster(row, 'verify a folder', 'bagit.py --validate', 3,
                    self.race(f'{venv}/bin/python {venv}/bin/bagit.py --quiet --validate {bag}',
                              self.verify(self.pack)))

    def build(self, row):
        copy, made = self.work / 'copy', self.work / 'made/data_pack'
        self.within(row, 'build (nothing decoded)', 'cp -r, sync -f', 1.25,
                    self.race(f'mkdir {copy} && cp -r {self.corpus}/audiocaps {self.corpus}/vqa {copy} && sync -f {copy}',
                              [f'{self.bin}/bench_pack', 'build', f'{self.corpus}', 'subset_manifest.json',
                               f'{self.corpus}/vqa', f'{made}'],
                              clean=(copy, made.parent)))
        run(f'rm -rf {copy} {made.parent}')

    def verify_zst(self, row):
        out = self.work / 'unpacked'
        self.faster(row, 'verify a .tar.zst, nothing unpacked', 'tar x, sha256sum -c', 4,
                    self.race(f'mkdir {out} && tar xf {self.work}/x.tar.zst -C {out} && cd {out}/data_pack && '
                              'sha256sum -c --quiet --strict SHA256SUMS',
                              self.verify(self.work / 'x.tar.zst'), clean=(out,)))
        run(f'rm -rf {out}')

    def archive(self, row, what, suffix, against, compressor):
        ours, peer = self.work / f'ours.{suffix}', self.work / f'peer.{suffix}'
        costs = self.race(f'tar c -C {self.work} data_pack | {compressor} > {peer} && sync {peer}',
                          [str(self.packer), 'archive', str(self.pack), '-o', str(ours), '--quiet'])
        sizes = ours.stat().st_size / peer.stat().st_size
        self.within(row, what, against, 1.1, costs, f', {sizes:.3f} of its size', sizes < 1.0005)

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
                              [f'{self.bin}/bench_pack', 'build', f'{self.corpus}', 'one_clip.json', f'{coco}', f'{made}'],
                              clean=(out, made.parent), settle=6))
        run(f'rm -rf {out} {made.parent}')


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return int(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default='build/lean/bin')
    parser.add_argument('--work', default='build/bench')
    parser.add_argument('--rows', default='')
    parser.add_argument('--repeats', type=positive, default=5)
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
    print('| row | ours | against | goal | wall clock | processor | |\n|---|---|---|---|---|---|---|')
    for number, (row, missing) in enumerate(rows, 1):
        if number in wanted:
            print(f'| {number} | {row.__name__} | | | not run: {missing} | | |') if missing else row(number)
    sys.exit(1 if bench.missed else 0)


if __name__ == '__main__':
    main()
