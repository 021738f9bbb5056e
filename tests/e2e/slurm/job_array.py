#!/usr/bin/env python3
"""The ablation's job script on a real SLURM, stopped again and again.

    tests/e2e/slurm/job_array.py BIN [STOPS]

BIN holds the programs, STOPS is 12. Needs root, and Debian's slurmctld, slurmd, slurm-client and munge. The three
variants run as one array; while they do, tasks are stopped in every way in which a cluster stops them. In the end every
task must be there, no task may have come back that was not stopped, and the bytes of every run must be those of runs
that nobody stopped. The same for runs that two processes share, for a time limit, for a sweep file with STAGE, also
stopped while it copies the pack, for a job on two nodes, and for a pack verified in parts by srun.
"""

import filecmp
import functools
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from one_machine import Slurm, World, check, run

SOURCE = Path(__file__).resolve().parents[3]
SCRIPT = SOURCE / "scripts" / "overfitting_test.sh"
VARIANTS = ["no_retention", "soft_retention", "full_safe"]
FLAGS = ["--quiet", "--train-batch-size", "6", "--checkpoint-every", "20", "--lr-projector", "5e-3", "--lr-adapter",
         "5e-3", "--null-space-min-samples", "8", "--threads", "1"]


def runs_of(folder):
    found = {}
    for config in sorted(folder.glob("*/config.json")):
        if not config.parent.name.startswith("."):
            values = json.loads(config.read_text())
            name = (values["variant"], values["seed"])
            check(name not in found, f"{folder} has two runs of {name}")
            found[name] = config.parent
    return found


def compare(stopped, whole):
    """Both folders hold the same runs, with the same bytes."""
    check(sorted(stopped) == sorted(whole), f"runs {sorted(stopped)}, expected {sorted(whole)}")
    for name, folder in whole.items():
        for file in ("metrics.json", "predictions.jsonl", "checkpoints/last.safetensors"):
            check(filecmp.cmp(folder / file, stopped[name] / file, shallow=False), f"{file} of {name} differs")


def submit(node, environment, log, *words):
    return run("sbatch", "--parsable", "--cpus-per-task=1", "--mem=500", f"--output={log}-%a.log", *words, SCRIPT, *FLAGS,
               env=environment, cwd=node.folder).strip()


def trainer_of(task):
    """The process number of the task's trainer, where it runs."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if not command[0].endswith(b"safe-trainer"):
                continue
            words = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        array, index = task.split("_")
        if f"SLURM_ARRAY_JOB_ID={array}".encode() in words and f"SLURM_ARRAY_TASK_ID={index}".encode() in words:
            return int(folder.name)
    return None


def kill_trainer(task):
    process = trainer_of(task)
    if process is not None:
        os.kill(process, signal.SIGKILL)


WAYS = {
    "scancel --signal=TERM": lambda task: Slurm.ask("scancel", "--signal=TERM", task),
    "scancel --signal=TERM --full": lambda task: Slurm.ask("scancel", "--signal=TERM", "--full", task),
    "scancel --signal=TERM --batch": lambda task: Slurm.ask("scancel", "--signal=TERM", "--batch", task),
    "kill -9": kill_trainer,
}


SAVED, KILLED = 75, 137
# What a trainer that was asked to stop ends with before it has anything to save.
EARLY = {130, 143}


def last_code(log):
    """The exit code of the trainer that the job's log names last."""
    codes = re.findall(r": exit code (\d+)$", log.read_text(), re.MULTILINE)
    check(codes, f"{log} names no exit code")
    return int(codes[-1])


ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT"}


def is_done(state):
    return state["JobState"] in ENDED


def restarts_of(state):
    return int(state.get("Restarts", 0))


def check_comes_back(node, task, restarts, after, seconds=60):
    """Waits until the task has come back that often, and fails where it ends, or comes back more often."""
    def answer():
        state = node.state(task)
        return state if restarts_of(state) >= restarts or is_done(state) else None

    state = node.wait_for(answer, f"the requeue of {task} after {after}", seconds)
    check(restarts_of(state) == restarts,
          f"{task} is {state['JobState']} and came back {restarts_of(state)} times after {after}, expected {restarts}")


def stop_again_and_again(node, log, tasks, stops):
    """Stops random tasks in turn, as often as asked, while they live. Gives the stops of each."""
    draw = random.Random(7)
    counts = dict.fromkeys(tasks, 0)
    ways = list(WAYS)
    done = 0
    end = time.monotonic() + 60 + 30 * stops
    while done < stops:
        check(time.monotonic() < end, f"only {done} of {stops} stops happened; logs are in {node.folder}")
        states = {task: node.state(task) for task in tasks}
        check(not all(map(is_done, states.values())), f"all tasks had ended after {done} of {stops} stops; give them more to do")
        ready = [task for task in tasks if states[task]["JobState"] == "RUNNING" and trainer_of(task)]
        if not ready:
            time.sleep(0.3)
            continue
        task = draw.choice(ready)
        time.sleep(draw.uniform(0, 2.5))
        before = node.state(task)
        if trainer_of(task) is None or before["JobState"] != "RUNNING":
            continue
        way = ways[done % len(ways)]
        others = {other: restarts_of(node.state(other)) for other in tasks if other != task}
        WAYS[way](task)
        check_comes_back(node, task, restarts_of(before) + 1, way)
        code = last_code(log.with_name(f"{log.name}-{task.split('_')[1]}.log"))
        check(code in ({KILLED} if way == "kill -9" else {SAVED} | EARLY), f"exit code {code} of {task} after {way}")
        for other, restarts in others.items():
            check(restarts_of(node.state(other)) == restarts, f"{other} came back too when {task} was stopped")
        counts[task] += 1
        done += 1
        print(f"  {done}/{stops} {way}: exit code {code}, {task} comes back", flush=True)
    return counts


def finish(node, tasks, seconds):
    node.wait_for(lambda: all(is_done(node.state(task)) for task in tasks), "the end of all tasks", seconds)
    for task in tasks:
        state = node.state(task)
        check(state["JobState"] == "COMPLETED", f"{task} ended as {state['JobState']}; logs are in {node.folder}")


def seconds_of_run(node, world, epochs):
    """Of a processor, which hang less on what else the machine does than those of a clock, and are never more."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run("bash", SCRIPT, *FLAGS, cwd=node.folder, env=world.environment(
        node.folder / f"timed-{epochs}", NUM_EPOCHS=str(epochs), VARIANTS="no_retention"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@functools.cache
def seconds_of_epoch(node, world):
    return max((seconds_of_run(node, world, 160) - seconds_of_run(node, world, 60)) / 100, 1e-3)


def test_array(node, world, stops):
    # A task is still training when its last stop comes.
    epochs = {"NUM_EPOCHS": str(min(60 + int(4 * stops / len(VARIANTS) / seconds_of_epoch(node, world)), 3000))}
    print(f"{epochs['NUM_EPOCHS']} epochs", flush=True)
    whole = node.folder / "whole"
    started = time.monotonic()
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    print(f"three variants that nobody stops: {time.monotonic() - started:.0f} s", flush=True)
    runs = node.folder / "stopped"
    log = node.folder / "array"
    array = submit(node, world.environment(runs, **epochs), log, "--array=0-2", "--time=60")
    tasks = [f"{array}_{index}" for index in range(3)]
    counts = stop_again_and_again(node, log, tasks, stops)
    finish(node, tasks, 600)
    for task in tasks:
        restarts = restarts_of(node.state(task))
        check(restarts == counts[task], f"{task} came back {restarts} times and was stopped {counts[task]} times")
    compare(runs_of(runs), runs_of(whole))
    print(f"an array of three, {stops} stops: the bytes of runs that nobody stopped", flush=True)


def test_time_limit(node, world):
    # SLURM looks every 30 s whether a job has no more than these 15 s and its own 30 s left: 15 to 45 s from its start.
    epochs = {"NUM_EPOCHS": str(int(70 / seconds_of_epoch(node, world))), "VARIANTS": "no_retention"}
    whole, runs, log = node.folder / "limitless", node.folder / "limited", node.folder / "limit"
    job = submit(node, world.environment(runs, **epochs), log, "--array=0-0", "--time=1", "--signal=B:TERM@15")
    task = f"{job}_0"
    check_comes_back(node, task, 1, "the time limit", 150)
    check(last_code(node.folder / "limit-0.log") == SAVED, "the time limit ended a trainer that had not saved")
    run("scontrol", "update", f"JobId={task}", "TimeLimit=60")
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    finish(node, [task], 300)
    compare(runs_of(runs), runs_of(whole))
    job = submit(node, world.environment(node.folder / "cancelled", **epochs), log, "--array=0-0")
    task = f"{job}_0"
    node.wait_for(lambda: trainer_of(task), "the task that is to be cancelled")
    node.ask("scancel", job)
    node.wait_for(lambda: is_done(node.state(task)), "the end of a task that was cancelled")
    check(node.state(task)["JobState"] == "CANCELLED", "a task that was cancelled came back")
    print("the time limit: comes back, to the bytes of a run without one; scancel: does not", flush=True)


def test_sweep(node, world):
    sweep = node.folder / "sweep.json"
    sweep.write_text(json.dumps({
        "run": {"num-epochs": 55, "train-batch-size": 6, "threads": 1},
        "seeds": [1, 2],
        "conditions": [{"name": "none", "variant": "no_retention"}, {"name": "soft", "variant": "soft_retention"}]}))
    count = int(run(world.bin / "safe-trainer", "sweep", sweep, "--count"))
    check(count == 4, f"--count says {count} of 4 runs")
    stage, runs = node.folder / "stage", node.folder / "swept"
    environment = world.environment(runs, SWEEP=str(sweep), STAGE="$TMPDIR/stage", TMPDIR=str(node.folder))

    def submit_sweep(tasks, **more):
        return run("sbatch", "--parsable", "--cpus-per-task=1", "--mem=500", f"--output={node.folder}/sweep-%A-%a.log",
                   f"--array={tasks}", SCRIPT, env={**environment, **more}, cwd=node.folder).strip()

    array = submit_sweep(f"0-{count - 1}")
    page = node.folder / "report.html"
    report = run("sbatch", "--parsable", f"--dependency=afterok:{array}", "--kill-on-invalid-dep=yes", "--cpus-per-task=1",
                 "--mem=500", f"--output={node.folder}/report.log", "--wrap",
                 f"{world.bin}/safe-report report {runs}/* -o {page}", cwd=node.folder).strip()
    finish(node, [f"{array}_{index}" for index in range(count)], 300)
    finish(node, [report], 60)
    check(len(runs_of(runs)) == 4, "a sweep of four tasks left other runs")
    check(page.exists(), "the dependent job wrote no report")
    copies = list(stage.glob("safe-packs-*/safe-pack-*"))
    check(len(copies) == 1, f"{len(copies)} copies of the pack on the node, expected one")
    copied = sum("copying " in log.read_text() for log in node.folder.glob("sweep-*.log"))
    check(copied == 1, f"{copied} tasks copied the pack, expected one")
    print("a sweep as an array, staged once, with its report as a dependent job", flush=True)

    (copies[0] / "captions.jsonl").unlink()
    finish(node, [submit_sweep(0) + "_0"], 60)
    check((copies[0] / "captions.jsonl").exists(), "a copy that had lost a file was not made anew")

    # A packer that is slow for once.
    slow, began = node.folder / "slow", node.folder / "began"
    slow.mkdir()
    (slow / "safe-trainer").symlink_to(world.bin / "safe-trainer")
    (slow / "safe-packer").write_text(f"""#!/bin/bash
[[ $* != *archive* || -e {began} ]] || {{ touch {began}; exec sleep 100; }}
exec {world.bin}/safe-packer "$@"
""")
    (slow / "safe-packer").chmod(0o755)
    task = submit_sweep(0, SAFE_TRAINER=str(slow / "safe-trainer"), STAGE=str(node.folder / "stage2")) + "_0"
    node.wait_for(began.exists, "the copy of the pack")
    node.ask("scancel", "--signal=TERM", task)
    check_comes_back(node, task, 1, "a stop while it copied the pack")
    finish(node, [task], 60)
    check(restarts_of(node.state(task)) == 1, "a task that was stopped while it copied the pack came back more than once")
    print("a copy that lost a file: made anew; a TERM while the pack is copied: comes back", flush=True)


def trained_bytes(runs):
    """What the histories of all runs hold; it grows with every step."""
    return sum(file.stat().st_size for file in runs.glob("*/history.jsonl"))


def test_several_processes(node, world):
    """Two tasks share a run: by srun alone, then by the job script, whose tasks are stopped in every way."""
    trainer = world.bin / "safe-trainer"
    flags = ["--pack-root", world.pack, "--base", world.base / "vl", "--audio-encoder", world.base / "audio",
             "--num-epochs", "51", "--subset-size", "12", "--val-size", "20"]
    for variant in VARIANTS:
        words = [trainer, "run", *FLAGS, "--variant", variant, *flags, "--output-root"]
        run(*words, node.folder / "alone", cwd=node.folder)
        run("srun", "--ntasks=2", "--mem=500", *words, node.folder / "two", cwd=node.folder)
    compare(runs_of(node.folder / "two"), runs_of(node.folder / "alone"))
    print("srun -n 2: the bytes of one process, all variants", flush=True)

    epochs = {"NUM_EPOCHS": "300", "VARIANTS": "full_safe"}
    whole, runs = node.folder / "alone-script", node.folder / "two-script"
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    job = submit(node, world.environment(runs, **epochs), node.folder / "two", "--array=0-0", "--ntasks=2", "--time=30")
    task = f"{job}_0"
    for number, way in enumerate(WAYS):
        before = trained_bytes(runs)
        node.wait_for(lambda: trained_bytes(runs) > before or is_done(node.state(task)), "a step of training", 120)
        check(trainer_of(task), "the task had ended before it was stopped; give it more to do")
        WAYS[way](task)
        check_comes_back(node, task, number + 1, way, 90)
        # --full reaches srun too, which then kills its processes; the run goes on from its last checkpoint.
        code = last_code(node.folder / "two-0.log")
        check(code == SAVED or code == KILLED and way.endswith(("-9", "--full")), f"exit code {code} after {way}")
        print(f"  two processes, {way}: exit code {code}, comes back", flush=True)
    finish(node, [task], 300)
    compare(runs_of(runs), runs_of(whole))
    print("the job script with two tasks, stopped four times: the bytes of one process", flush=True)


def test_two_nodes(node, world):
    """The nodes are one machine, so that the second finds the first's copy."""
    epochs = {"NUM_EPOCHS": "5", "VARIANTS": "no_retention"}
    whole, runs, log = node.folder / "near", node.folder / "far", node.folder / "nodes"
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    places = {"STAGE": str(node.folder / "stage3"), "MASTER_ADDR": "127.0.0.1"}
    job = submit(node, world.environment(runs, **places, **epochs), log, "--array=0-0", "--partition=both", "--nodes=2",
                 "--ntasks=2", "--ntasks-per-node=1")
    finish(node, [f"{job}_0"], 120)
    compare(runs_of(runs), runs_of(whole))
    text = node.folder.joinpath("nodes-0.log").read_text()
    check("srun" in text and text.count("copying ") == 1, f"two nodes did not share a copy and a run: {text}")
    print("a job on two nodes: staged, and the bytes of one process", flush=True)


def test_parts(node, world):
    packer = world.bin / "safe-packer"
    parts = node.folder / "parts"
    parts.mkdir()
    run("srun", "--ntasks=3", "--mem=500", f"--output={parts}/%t.json", f"--error={parts}/%t.err", packer, "verify",
        world.pack, "--part", "auto", "--json", "--quiet", cwd=node.folder)
    joined, whole = (run(packer, "verify", world.pack, *more) for more in (("--join", parts), ()))
    check(joined == whole, f"three parts say {joined}, and one verify says {whole}")
    print("verify in three parts by srun: the same line", flush=True)


def main():
    bin_folder = Path(sys.argv[1]).resolve()
    stops = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    folder = Path(tempfile.mkdtemp(prefix="safe-slurm-"))
    node = Slurm(folder)
    try:
        node.begin()
        world = World(folder, bin_folder)
        tests = [test_parts, test_sweep, test_two_nodes, test_several_processes, test_time_limit]
        if stops:
            tests.append(lambda *places: test_array(*places, stops))
        for test in tests:
            started = time.monotonic()
            test(node, world)
            print(f"{time.monotonic() - started:.0f} s", flush=True)
    finally:
        node.stop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
