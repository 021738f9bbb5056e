#!/usr/bin/env python3
"""How much faster several processes, or several threads of one, train and evaluate a run.

    tests/bench/processes.py BIN PACK BASE [EPOCHS [FLAG...]]

BIN holds safe-trainer, BASE vl/ and audio/. Prints a Markdown table; seconds are of timings.json, ratios are to one process
with one thread of the same round. Three rounds, the median of each. Needs as many idle cores as the largest row takes.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = [(1, 1), (1, 2), (2, 1)]  # processes, threads of each


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure(words, processes, threads):
    with tempfile.TemporaryDirectory() as out:
        port = free_port()
        started = []
        for rank in range(processes):
            environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": str(processes), "LOCAL_RANK": str(rank),
                           "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            command = [*words, "--output-root", out, "--threads", str(threads)]
            started.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        if any([process.wait() for process in started]):
            raise SystemExit("a process failed")
        run = next(Path(out).glob("[0-9]*"))
        timings = json.loads((run / "timings.json").read_text())
        steps = sum(1 for _ in open(run / "history.jsonl"))
        return timings["train_s"] / steps * 1e3, timings["evaluate_s"], (run / "predictions.jsonl").read_bytes()


def main():
    folder, pack, base = sys.argv[1:4]
    epochs = sys.argv[4] if len(sys.argv) > 4 else "8"
    words = [f"{folder}/safe-trainer", "--quiet", "run", "--variant", "full_safe", "--pack-root", pack, "--base",
             f"{base}/vl", "--audio-encoder", f"{base}/audio", "--num-epochs", epochs, "--train-batch-size", "32",
             "--fisher-weight", "0", "--eval-with-audio-gate", *sys.argv[5:]]
    rounds = [[measure(words, *row) for row in ROWS] for _ in range(3)]
    if len({one[2] for results in rounds for one in results}) != 1:
        raise SystemExit("the predictions differ")
    print("| processes | threads of each | ms a step | times as fast | s to evaluate | times as fast |")
    print("|---|---|---|---|---|---|")
    for k, (processes, threads) in enumerate(ROWS):
        step, evaluation = ([results[k][i] for results in rounds] for i in (0, 1))
        gains = [statistics.median(results[0][i] / results[k][i] for results in rounds) for i in (0, 1)]
        print(f"| {processes} | {threads} | {statistics.median(step):.1f} | {gains[0]:.2f} | "
              f"{statistics.median(evaluation):.1f} | {gains[1]:.2f} |")
    print("\nThe predictions of all are the same bytes.")


if __name__ == "__main__":
    main()
