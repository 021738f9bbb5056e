#!/usr/bin/env python3
"""The ablation's job script on a real SLURM of one node, stopped again and again.

    tests/e2e/slurm/job_array.py BIN [STOPS]

BIN holds the programs, STOPS is 12. Needs root, and Debian's slurmctld, slurmd, slurm-client and munge. The three
variants run as one array; while they do, tasks are stopped in every way in which a cluster stops them. In the end every
task must be there, no task may have come back that was not stopped, and the bytes of every run must be those of runs
that nobody stopped. Then the same for a sweep file with STAGE, and for a pack verified in parts by srun.
"""

import filecmp
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
SCRIPT = SOURCE / "scripts" / "overfitting_test.sh"
VARIANTS = ["no_retention", "soft_retention", "full_safe"]


def check(holds, what):
    if not holds:
        raise SystemExit(f"FAILED: {what}")


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, **more)
    check(done.returncode == 0, f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OneNode:
    """munged, slurmctld and slurmd with state and configuration of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = []
        for name in ("munge", "state", "spool"):
            (folder / name).mkdir()
        socket_path = folder / "munge" / "socket"
        config = f"""
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job begins again when its credential has expired.
AuthInfo=socket={socket_path},cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2,requeue_delay=1
ReturnToService=2
MpiDefault=none
JobRequeue=1
KillWait=5
MinJobAge=3600
NodeName=localhost NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 CPUs=6 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES:8
"""
        (folder / "slurm.conf").write_text(config)
        os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        # munged wants folders that nobody else can write to, all the way up.
        self.start("munged", "munged", "--foreground", f"--socket={socket_path}", f"--key-file={key}",
                   f"--pid-file={folder}/munge/pid", f"--log-file={folder}/munge/log",
                   f"--seed-file={folder}/munge/seed", "--force")
        self.wait_for(socket_path.exists, "munged")
        self.start("slurmctld", "slurmctld", "-D")
        self.start("slurmd", "slurmd", "-D", "-N", "localhost")
        self.wait_for(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"), "an idle node")

    def start(self, name, *words):
        log = open(self.folder / f"{name}.out", "w")
        self.daemons.append(subprocess.Popen(words, stdout=log, stderr=log))

    @staticmethod
    def ask(*words):
        return subprocess.run(words, text=True, capture_output=True).stdout

    def wait_for(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            check(time.monotonic() < end, f"{what} did not come within {seconds} s; logs are in {self.folder}")
            time.sleep(0.2)

    def stop(self):
        self.ask("scancel", "--user=root", "--quiet")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def state(self, job):
        text = self.ask("scontrol", "--oneliner", "show", "job", job)
        return dict(word.split("=", 1) for word in text.split() if "=" in word)


class World:
    """A small pack and base that the programs made."""

    def __init__(self, root, bin_folder):
        self.root, self.bin = root, bin_folder
        os.environ["XDG_CONFIG_HOME"] = str(root / "config")
        packer, manifest, trainer = (bin_folder / f"safe-{name}" for name in ("packer", "manifest", "trainer"))
        data = root / "data"
        run(packer, "synthesize", "--quiet", "--out", data, "--clips", 24, "--questions", 240, "--train-questions", 160)
        vqa = data / "vqa"
        val = ["--questions", vqa / "v2_OpenEnded_mscoco_val2014_questions.json",
               "--annotations", vqa / "v2_mscoco_val2014_annotations.json"]
        subset, audio_val, questions, retention, base = (
            root / f"{name}_manifest.json" for name in ("subset", "audio_val", "val", "retention", "base"))
        run(manifest, "audio", "--metadata", data / "audiocaps/train.csv", "--subset-size", 12, "--output", subset)
        run(manifest, "audio", "--split", "val", "--metadata", data / "audiocaps/val.csv", "--subset-size", 4,
            "--output", audio_val, "--exclude", subset)
        run(manifest, "val", *val, "--subset-size", 20, "--output", questions)
        run(manifest, "retention", *val, "--subset-size", 70, "--exclude", questions, "--output", retention)
        excluded = [word for one in (questions, retention, subset, audio_val) for word in ("--exclude", one)]
        run(manifest, "base", "--questions", vqa / "v2_OpenEnded_mscoco_train2014_questions.json", "--annotations",
            vqa / "v2_mscoco_train2014_annotations.json", "--subset-size", 100, *excluded, "--captions",
            data / "audiocaps/train.csv", "--output", base)
        self.pack, self.base = root / "pack", root / "base"
        run(packer, "build", "--quiet", "--manifest", subset, "--val-manifest", questions, "--source-root",
            data / "audiocaps", "--dest-root", self.pack)
        run(trainer, "--quiet", "make-base", "--pack", self.pack, "--out", self.base, "--steps", 6, "--batch-size", 16)

    def environment(self, runs, **more):
        return {**os.environ, "SAFE_TRAINER": str(self.bin / "safe-trainer"), "PACK_ROOT": str(self.pack),
                "OUTPUT_ROOT": str(runs), "BASE": str(self.base / "vl"), "AUDIO_ENCODER": str(self.base / "audio"),
                **more}


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
    "scancel --signal=TERM": lambda task: OneNode.ask("scancel", "--signal=TERM", task),
    "scancel --signal=TERM --full": lambda task: OneNode.ask("scancel", "--signal=TERM", "--full", task),
    "scancel --signal=TERM --batch": lambda task: OneNode.ask("scancel", "--signal=TERM", "--batch", task),
    "kill -9": kill_trainer,
}


def is_done(state):
    return state.get("JobState") not in ("PENDING", "RUNNING", "COMPLETING", "REQUEUED", "CONFIGURING")


def stop_again_and_again(node, array, tasks, stops):
    """Stops random tasks in turn, as often as asked, while they live. Gives the stops of each."""
    draw = random.Random(7)
    counts = dict.fromkeys(tasks, 0)
    ways = list(WAYS)
    done = 0
    end = time.monotonic() + 60 + 30 * stops
    while done < stops:
        check(time.monotonic() < end, f"only {done} of {stops} stops happened; logs are in {node.folder}")
        living = [task for task in tasks if not is_done(node.state(task))]
        check(living, f"all tasks had ended after {done} of {stops} stops; give them more to do")
        ready = [task for task in living if node.state(task).get("JobState") == "RUNNING" and trainer_of(task)]
        if not ready:
            time.sleep(0.3)
            continue
        task = draw.choice(ready)
        time.sleep(draw.uniform(0, 2.5))
        before = int(node.state(task).get("Restarts", 0))
        if trainer_of(task) is None or node.state(task).get("JobState") != "RUNNING":
            continue
        way = ways[done % len(ways)]
        others = {other: int(node.state(other).get("Restarts", 0)) for other in tasks if other != task}
        WAYS[way](task)
        node.wait_for(lambda: int(node.state(task).get("Restarts", 0)) > before or is_done(node.state(task)),
                      f"the requeue of {task} after {way}", 60)
        state = node.state(task)
        check(int(state.get("Restarts", 0)) == before + 1, f"{task} ended as {state.get('JobState')} after {way}")
        for other, restarts in others.items():
            check(int(node.state(other).get("Restarts", 0)) == restarts, f"{other} came back too when {task} was stopped")
        counts[task] += 1
        done += 1
        print(f"  {done}/{stops} {way}: {task} comes back", flush=True)
    return counts


def finish(node, tasks, seconds):
    node.wait_for(lambda: all(is_done(node.state(task)) for task in tasks), "the end of all tasks", seconds)
    for task in tasks:
        state = node.state(task)
        check(state.get("JobState") == "COMPLETED", f"{task} ended as {state.get('JobState')}; logs are in {node.folder}")


def seconds_of_run(node, world, epochs):
    started = time.monotonic()
    run("bash", SCRIPT, *FLAGS, cwd=node.folder, env=world.environment(
        node.folder / f"timed-{epochs}", NUM_EPOCHS=str(epochs), VARIANTS="no_retention"))
    return time.monotonic() - started


def enough_epochs(node, world, stops):
    """So many that a task is still training when its last stop comes."""
    an_epoch = max((seconds_of_run(node, world, 160) - seconds_of_run(node, world, 60)) / 100, 1e-3)
    return min(60 + int(4 * stops / len(VARIANTS) / an_epoch), 3000)


def test_array(node, world, stops):
    epochs = {"NUM_EPOCHS": str(enough_epochs(node, world, stops))}
    print(f"{epochs['NUM_EPOCHS']} epochs", flush=True)
    whole = node.folder / "whole"
    started = time.monotonic()
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    print(f"three variants that nobody stops: {time.monotonic() - started:.0f} s", flush=True)
    runs = node.folder / "stopped"
    array = submit(node, world.environment(runs, **epochs), node.folder / "array", "--array=0-2", "--time=60")
    tasks = [f"{array}_{index}" for index in range(3)]
    counts = stop_again_and_again(node, array, tasks, stops)
    finish(node, tasks, 600)
    for task in tasks:
        restarts = int(node.state(task).get("Restarts", 0))
        check(restarts == counts[task], f"{task} came back {restarts} times and was stopped {counts[task]} times")
    compare(runs_of(runs), runs_of(whole))
    print(f"an array of three, {stops} stops: the bytes of runs that nobody stopped", flush=True)


def test_time_limit(node, world):
    epochs = {"NUM_EPOCHS": "4000", "VARIANTS": "full_safe"}
    runs = node.folder / "limited"
    job = submit(node, world.environment(runs, **epochs), node.folder / "limit", "--array=0-0", "--time=1",
                 "--signal=TERM@45")
    task = f"{job}_0"
    node.wait_for(lambda: int(node.state(task).get("Restarts", 0)) > 0 or is_done(node.state(task)), "the time limit", 150)
    check(int(node.state(task).get("Restarts", 0)) == 1, f"the time limit ended {task} as {node.state(task)['JobState']}")
    node.ask("scancel", job)
    node.wait_for(lambda: is_done(node.state(task)), "the end of a task that was cancelled")
    check(node.state(task)["JobState"] == "CANCELLED", "a task that was cancelled came back")
    print("the time limit: comes back; scancel: does not", flush=True)


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
    array = run("sbatch", "--parsable", "--cpus-per-task=1", "--mem=500", f"--output={node.folder}/sweep-%a.log",
                f"--array=0-{count - 1}", SCRIPT, env=environment, cwd=node.folder).strip()
    page = node.folder / "report.html"
    report = run("sbatch", "--parsable", f"--dependency=afterok:{array}", "--cpus-per-task=1", "--mem=500",
                 f"--output={node.folder}/report.log", "--wrap",
                 f"{world.bin}/safe-report report {runs}/* -o {page}", cwd=node.folder).strip()
    finish(node, [f"{array}_{index}" for index in range(count)], 300)
    finish(node, [report], 60)
    check(len(runs_of(runs)) == 4, "a sweep of four tasks left other runs")
    check(page.exists(), "the dependent job wrote no report")
    copies = list(stage.glob("safe-pack-*"))
    check(len(copies) == 1, f"{len(copies)} copies of the pack on the node, expected one")
    print("a sweep as an array, staged once, with its report as a dependent job", flush=True)


def test_several_processes(node, world):
    """Two tasks share a run: by srun alone, then by the job script, whose tasks are stopped in every way."""
    trainer = world.bin / "safe-trainer"
    flags = ["--variant", "full_safe", "--pack-root", world.pack, "--base", world.base / "vl", "--audio-encoder",
             world.base / "audio", "--num-epochs", "101", "--subset-size", "12", "--val-size", "20"]
    run(trainer, "run", *FLAGS, *flags, "--output-root", node.folder / "alone", cwd=node.folder)
    run("srun", "--ntasks=2", "--mem=500", trainer, "run", *FLAGS, *flags, "--output-root", node.folder / "two",
        cwd=node.folder)
    compare(runs_of(node.folder / "two"), runs_of(node.folder / "alone"))
    print("srun -n 2: the bytes of one process", flush=True)

    epochs = {"NUM_EPOCHS": "700", "VARIANTS": "full_safe"}
    whole, runs = node.folder / "alone-script", node.folder / "two-script"
    run("bash", SCRIPT, *FLAGS, env=world.environment(whole, **epochs), cwd=node.folder)
    job = submit(node, world.environment(runs, **epochs), node.folder / "two", "--array=0-0", "--ntasks=2", "--time=30")
    task = f"{job}_0"
    for number, way in enumerate(WAYS):
        node.wait_for(lambda: node.state(task).get("JobState") == "RUNNING" and trainer_of(task), "the task", 60)
        time.sleep(6)
        check(trainer_of(task), "the task had ended before it was stopped; give it more to do")
        WAYS[way](task)
        node.wait_for(lambda: int(node.state(task).get("Restarts", 0)) == number + 1 or is_done(node.state(task)),
                      f"the requeue after {way}", 90)
        check(int(node.state(task).get("Restarts", 0)) == number + 1,
              f"{task} ended as {node.state(task).get('JobState')} after {way}")
        print(f"  two processes, {way}: comes back", flush=True)
    finish(node, [task], 300)
    compare(runs_of(runs), runs_of(whole))
    print("the job script with two tasks, stopped four times: the bytes of one process", flush=True)


def test_parts(node, world):
    packer = world.bin / "safe-packer"
    parts = node.folder / "parts"
    parts.mkdir()
    run("srun", "--ntasks=3", "--mem=500", f"--output={parts}/%t.json", packer, "verify", world.pack, "--part", "auto",
        "--json", cwd=node.folder)
    joined, whole = (run(packer, "verify", world.pack, *more) for more in (("--join", parts), ()))
    check(joined == whole, f"three parts say {joined}, and one verify says {whole}")
    print("verify in three parts by srun: the same line", flush=True)


def main():
    bin_folder = Path(sys.argv[1]).resolve()
    stops = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    folder = Path(tempfile.mkdtemp(prefix="safe-slurm-"))
    node = None
    try:
        node = OneNode(folder)
        world = World(folder, bin_folder)
        test_parts(node, world)
        test_several_processes(node, world)
        test_sweep(node, world)
        test_array(node, world, stops) if stops else None
        test_time_limit(node, world)
    finally:
        if node is not None:
            node.stop()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
