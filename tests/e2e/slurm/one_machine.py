"""A SLURM of one machine, and a small pack and base for its jobs."""

import os
import socket
import subprocess
import time
from pathlib import Path


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


class Slurm:
    """munged, slurmctld and two slurmd, with state and configuration of their own. Jobs run on the first node unless they
    ask for the partition of both."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = []

    def begin(self):
        folder = self.folder
        # Processes that share a run on one node meet at its name.
        nodes = (socket.gethostname(), "second")
        for name in ("munge", "state", *(f"spool/{node}" for node in nodes)):
            (folder / name).mkdir(parents=True)
        socket_path = folder / "munge" / "socket"
        config = f"""
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={free_port()}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job begins again when its credential has expired.
AuthInfo=socket={socket_path},cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
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
MessageTimeout=60
MinJobAge=3600
NodeName=DEFAULT RealMemory=4000 State=UNKNOWN
NodeName={nodes[0]} NodeHostname={nodes[0]} NodeAddr=127.0.0.1 Port={free_port()} CPUs=6
NodeName={nodes[1]} NodeHostname={nodes[0]} NodeAddr=127.0.0.1 Port={free_port()} CPUs=2
PartitionName=DEFAULT MaxTime=INFINITE State=UP OverSubscribe=YES:8
PartitionName=main Nodes={nodes[0]} Default=YES
PartitionName=both Nodes={nodes[0]},{nodes[1]}
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
        for name in nodes:
            self.start(f"slurmd-{name}", "slurmd", "-D", "-N", name)
        self.wait_for(lambda: self.ask("sinfo", "--noheader", "--partition=both", "--Node", "--format=%T").count("idle") == 2,
                      "two idle nodes")

    def start(self, name, *words):
        log = open(self.folder / f"{name}.out", "w")
        self.daemons.append(subprocess.Popen(words, stdout=log, stderr=log))

    @staticmethod
    def ask(*words):
        return subprocess.run(words, text=True, capture_output=True).stdout

    def wait_for(self, condition, what, seconds=60):
        """Asks until the answer is true, and gives it."""
        end = time.monotonic() + seconds
        while not (answer := condition()):
            check(time.monotonic() < end, f"{what} did not come within {seconds} s; logs are in {self.folder}")
            time.sleep(0.2)
        return answer

    def stop(self):
        self.ask("scancel", "--user=root", "--quiet")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()

    def state(self, job):
        """What SLURM says of the job. A controller that does not answer is asked again: it says nothing of the job."""
        end = time.monotonic() + 60
        while True:
            done = subprocess.run(("scontrol", "--oneliner", "show", "job", job), text=True, capture_output=True)
            state = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
            if "JobState" in state:
                return state
            check(time.monotonic() < end, f"SLURM says nothing of job {job}: {done.stdout}{done.stderr}")
            print(f"  asked again about job {job}: {done.stdout}{done.stderr}", flush=True)
            time.sleep(0.5)


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
