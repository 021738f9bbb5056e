#!/usr/bin/env python3
"""From sound files to log-mel spectrograms: clips per second beside librosa and Hugging Face, and how far the two are apart.

    cmake --preset dev && cmake --build build/dev --target bench_mel
    tests/bench/mel_speed.py [--bin build/dev/bin] [--work build/bench] [--clips 64] [--repeats 5]

Clips of ten seconds, 44.1 kHz stereo and 32 kHz mono, WAV and FLAC, are decoded, mixed to one channel, resampled to 48 kHz and
turned into CLAP's spectrogram: by what the trainer uses, and by librosa.load (its default, soxr_hq) with transformers'
ClapFeatureExtractor. On one core both have one thread; on two, ours has two threads and the peer a pool of two processes. Both
are warm before anything is timed, then run in turn; stated are the medians, and of the ratio of neighbours the smallest and
the largest too, for the wall clock and for the processor's time, which a crowd on the machine changes least.

The peer needs apt-get install python3-torch python3-venv; librosa, soundfile and transformers come from PyPI into a venv of
the script's own. Exit code 1 where ours is the slower, or the spectrograms of the same samples are apart by more than 0.01 dB.
"""

import argparse
import collections
import os
import statistics
import subprocess
import sys
from pathlib import Path

GOAL_APART_DB = 0.01

# speed FOLDER PROCESSES: as bench_mel's. tensors FOLDER SAMPLES MELS: what librosa and then the extractor make of the clips.
# compare A B: the largest difference, the largest but of two frames at either end, where filters see silence, and the mean.
PEER = r"""
import multiprocessing, pathlib, sys, time
import numpy

def clips_in(folder):
    return sorted(p for p in pathlib.Path(folder).iterdir() if p.suffix in ('.wav', '.flac'))

def spectrogram(samples):
    return extractor(samples, sampling_rate=48000, return_tensors='np')['input_features']

def work(path):
    return spectrogram(librosa.load(path, sr=48000)[0]).shape

verb, first, second = sys.argv[1:4]
if verb == 'compare':
    a, b = (numpy.fromfile(name, dtype='<f4').reshape(-1, 1001, 64) for name in (first, second))
    apart = numpy.abs(a.astype('f8') - b)
    print(apart.max(), apart[:, 2:-2].max(), apart.mean())
    sys.exit()
import librosa
from transformers import ClapFeatureExtractor
extractor = ClapFeatureExtractor(truncation='rand_trunc', padding='repeatpad', frequency_min=50, frequency_max=14000)
clips = clips_in(first)
work(clips[0])
if verb == 'tensors':
    with open(second, 'wb') as all_samples, open(sys.argv[4], 'wb') as all_mels:
        for path in clips:
            # Of 44.1 kHz librosa makes one sample too many, and the extractor would leave out the first or the last by chance.
            samples = librosa.load(path, sr=48000)[0][:480000]
            assert samples.shape == (480000,), samples.shape
            all_samples.write(samples.astype('<f4').tobytes())
            all_mels.write(spectrogram(samples).astype('<f4').tobytes())
else:
    pool = multiprocessing.Pool(int(second)) if int(second) > 1 else None
    if pool:
        pool.map(work, clips[:8], 1)
    for line in sys.stdin:
        start = time.perf_counter()
        pool.map(work, clips, 1) if pool else [work(path) for path in clips]
        print(time.perf_counter() - start, flush=True)
"""


def run(command):
    """Runs a program that must succeed; its standard output."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f'mel_speed.py: this failed with {done.returncode}: {command[-3:]}')
    return done.stdout


def make_venv(folder):
    python = folder / 'bin/python'
    has_all = python.exists() and subprocess.run([python, '-c', 'import librosa, soundfile, torch, transformers'],
                                                 stderr=subprocess.DEVNULL).returncode == 0
    if not has_all:
        run(['/usr/bin/python3', '-m', 'venv', '--system-site-packages', folder])
        run([folder / 'bin/pip', 'install', '--quiet', 'librosa', 'soundfile', 'transformers==4.40.2', 'numpy<2'])
    return python


Cost = collections.namedtuple('Cost', 'wall cpu')  # seconds


def processor_s(pid):
    """User and system time of a process and of those that it started."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    children = Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK') + sum(map(processor_s, children))


class Racer:
    """A process that does its work once more for every line that it gets, on the cores that it was given."""

    def __init__(self, command, cores):
        environment = dict(os.environ, OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')
        self.process = subprocess.Popen(['taskset', '-c', ','.join(map(str, cores)), *map(str, command)], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def lap(self):
        before = processor_s(self.process.pid)
        self.process.stdin.write('go\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'mel_speed.py: this ended early: {self.process.args[3:6]}')
        return Cost(float(line), processor_s(self.process.pid) - before)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def spread(ratios):
    return f'{statistics.median(ratios):.1f}× ({min(ratios):.1f}–{max(ratios):.1f})'


def race(bench, peer, clips, count, cores, repeats):
    """Of so many cores: a row of the table, and whether ours was faster."""
    ours = Racer([bench, 'speed', clips, len(cores)], cores)
    theirs = Racer([*peer, 'speed', clips, len(cores)], cores)
    for racer in (theirs, ours):
        racer.lap()
    laps = [(theirs.lap(), ours.lap()) for _ in range(repeats)]
    for racer in (theirs, ours):
        racer.end()
    speed = [count / statistics.median(lap[side].wall for lap in laps) for side in (1, 0)]
    wall = [a.wall / b.wall for a, b in laps]
    cpu = [a.cpu / b.cpu for a, b in laps]
    print(f'| {len(cores)} | {speed[0]:.1f} clips/s | {speed[1]:.1f} clips/s | {spread(wall)} | {spread(cpu)} |', flush=True)
    return statistics.median(wall) > 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bin', default='build/dev/bin')
    parser.add_argument('--work', default='build/bench')
    parser.add_argument('--clips', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=5)
    arguments = parser.parse_args()
    work = Path(arguments.work).resolve()
    bench, clips = Path(arguments.bin).resolve() / 'bench_mel', work / f'clips-{arguments.clips}'
    work.mkdir(parents=True, exist_ok=True)
    if not clips.exists():
        run([bench, 'make', clips, arguments.clips])
    python = make_venv(work / 'mel-venv')
    peer = [python, '-c', PEER]

    cores = sorted(os.sched_getaffinity(0))
    print('| cores | ours | librosa, ClapFeatureExtractor | wall clock | processor |\n|---|---|---|---|---|')
    reached = [race(bench, peer, clips, arguments.clips, cores[:count], arguments.repeats)
               for count in (1, 2) if count <= len(cores)]

    def apart(a, b):
        return [float(word) for word in run([*peer, 'compare', work / a, work / b]).split()]

    run([*peer, 'tensors', clips, work / 'samples.f32', work / 'theirs.f32'])
    run([bench, 'samples', work / 'samples.f32', work / 'same_samples.f32'])
    run([bench, 'clips', clips, work / 'ours.f32'])
    print('\n| apart in dB | largest | but for 2 frames at either end | mean |\n|---|---|---|---|')
    for name, file in (('their samples', 'same_samples.f32'), ('each its own resampling', 'ours.f32')):
        largest, inside, mean = apart(file, 'theirs.f32')
        print(f'| {name} | {largest:.2g} | {inside:.2g} | {mean:.2g} |')
        if file == 'same_samples.f32':
            reached.append(largest <= GOAL_APART_DB)
    print('\n' + run(['taskset', '-c', cores[0], bench, 'parts', clips]), end='')
    sys.exit(0 if all(reached) else 1)


if __name__ == '__main__':
    main()
