#!/usr/bin/env python3
"""Two network namespaces as two hosts: a run that they share over TCP, a link that is cut in the middle, a pack verified in
parts.

    tests/e2e/slurm/two_hosts.py BIN

BIN holds the programs. Needs root, and ip (iproute2). Each host has an address of its own and sees nothing else.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from job_array import FLAGS, compare, runs_of
from one_machine import World, check, run

HOSTS = ["safe-host-0", "safe-host-1"]
ADDRESSES = ["10.213.0.1", "10.213.0.2"]
SECONDS_TO_END = 60


def connect():
    for host in HOSTS:
        subprocess.run(["ip", "netns", "del", host], capture_output=True)
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "set", "lo", "up")
    run("ip", "link", "add", "safe-a", "netns", HOSTS[0], "type", "veth", "peer", "name", "safe-b", "netns", HOSTS[1])
    for host, link, address in zip(HOSTS, ("safe-a", "safe-b"), ADDRESSES):
        run("ip", "-n", host, "addr", "add", f"{address}/24", "dev", link)
        run("ip", "-n", host, "link", "set", link, "up")


def start(rank, words, folder):
    environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
                   "MASTER_ADDR": ADDRESSES[0], "MASTER_PORT": "29500"}
    return subprocess.Popen(["ip", "netns", "exec", HOSTS[rank], *map(str, words)], env=environment, text=True, cwd=folder,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_same_bytes(folder, trainer, flags):
    run(trainer, "run", *FLAGS, *flags, "--num-epochs", "101", "--output-root", folder / "alone", cwd=folder)
    words = [trainer, "run", *FLAGS, *flags, "--num-epochs", "101", "--output-root", folder / "both"]
    for process in [start(rank, words, folder) for rank in range(2)]:
        said = process.communicate()
        check(process.returncode == 0, f"exit code {process.returncode}: {said}")
    compare(runs_of(folder / "both"), runs_of(folder / "alone"))
    print("two hosts share a run: the bytes of one process", flush=True)


def lines_of_history(runs):
    return sum(len(path.read_text().splitlines()) for path in runs.glob("[0-9]*/history.jsonl"))


def test_cut_link(folder, trainer, flags):
    runs = folder / "cut"
    words = [trainer, "run", *FLAGS, *flags, "--num-epochs", "100000", "--output-root", runs]
    processes = [start(rank, words, folder) for rank in range(2)]
    end = time.monotonic() + 60
    while lines_of_history(runs) < 5:
        check(time.monotonic() < end, "no step within 60 s")
        time.sleep(0.1)
    run("ip", "-n", HOSTS[0], "link", "set", "safe-a", "down")
    cut = time.monotonic()
    for rank, process in enumerate(processes):
        _, said = process.communicate(timeout=SECONDS_TO_END)
        check(process.returncode == 3, f"rank {rank} ended with {process.returncode}: {said}")
        check(f"rank {1 - rank} on" in said and "--resume" in said, f"rank {rank} said: {said}")
    print(f"a link that is cut: both end within {time.monotonic() - cut:.0f} s, and each names the other", flush=True)


def test_parts(folder, world):
    packer = world.bin / "safe-packer"
    (folder / "parts").mkdir()
    for rank in range(2):
        report = run("ip", "netns", "exec", HOSTS[rank], packer, "verify", world.pack, "--part", f"{rank + 1}/2", "--json")
        (folder / "parts" / f"{rank}.json").write_text(report)
    joined, whole = (run(packer, "verify", world.pack, *more) for more in (("--join", folder / "parts"), ()))
    check(joined == whole, f"two parts say {joined}, and one verify says {whole}")
    print("verify by two hosts: the same line", flush=True)


def main():
    folder = Path(tempfile.mkdtemp(prefix="safe-hosts-"))
    try:
        world = World(folder, Path(sys.argv[1]).resolve())
        connect()
        trainer = world.bin / "safe-trainer"
        flags = ["--variant", "full_safe", "--pack-root", world.pack, "--base", world.base / "vl", "--audio-encoder",
                 world.base / "audio", "--subset-size", "12", "--val-size", "20"]
        test_same_bytes(folder, trainer, flags)
        test_parts(folder, world)
        test_cut_link(folder, trainer, flags)
    finally:
        for host in HOSTS:
            subprocess.run(["ip", "netns", "del", host], capture_output=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
