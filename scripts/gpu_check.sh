#!/usr/bin/env bash
# What this project does on a GPU, in one page of Markdown: device tests, the three variants on GPU and CPU, and models of
# the true shapes beside transformers.
#   scripts/gpu_check.sh PYTHON_OR_VENV [SHAPE...]
# The environment has torch 2.4 or newer, transformers and safetensors; scripts/build_for_torch.sh builds against its
# LibTorch. SHAPE is tiny, small, 7b or 13b (tests/bench/random_llava.py): 7b and 13b if none is named, on a GPU of 40 GB
# or more.
#
# DEVICE=cpu tries all of it on a CPU, with the shape tiny if none is named. BUILD is the build folder, WORK the folder
# for models and runs (build/gpu_check), which takes 14 GB for 7b and 26 GB for 13b; what is there already is used again.
# BIN names programs that are built already. PARTS is which of "tests variants shapes" to do, all if it is not set: where a
# machine is lent for minutes, one call each. Exit code 1 where a check failed.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $# -ge 1 ]] || {
  sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
python=$1
[[ ! -d $python ]] || python=$1/bin/python
device=${DEVICE:-cuda}
named=("${@:2}")
if [[ ${#named[@]} -eq 0 ]]; then
  named=(7b 13b)
  [[ $device == cuda ]] || named=(tiny)
fi
dtype=bfloat16 question_batch=4
work=${WORK:-build/gpu_check}
build=${BUILD:-build/gpu}
mkdir -p "$work"
failed=0
say() { echo "gpu_check.sh: $*" >&2; }

"$python" -c 'import torch, transformers, safetensors' 2>/dev/null || {
  say "$1 lacks torch, transformers or safetensors; install them there with pip"
  exit 3
}
if [[ $device == cuda ]]; then
  "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || {
    say "torch in $1 sees no CUDA device; DEVICE=cpu tries the script on a CPU"
    exit 3
  }
fi

parts=" ${PARTS:-tests variants shapes} "
does() { [[ $parts == *" $1 "* ]]; }

bin=${BIN:-$build/bin}
if [[ -z ${BIN:-} ]]; then
  say 'building'
  scripts/build_for_torch.sh "$python" "$build" safe-trainer safe-packer safe-manifest test_train_trainer bench_kl_step >&2
fi

"$python" - "$device" <<'END'
import sys, torch, transformers
name = torch.cuda.get_device_name() if sys.argv[1] == "cuda" else "the CPU"
print(f"On {name}, torch {torch.__version__}, transformers {transformers.__version__}.\n")
END

device_tests() {
  say 'device tests'
  if "$bin/test_train_trainer" --source-file='*test_device*' >"$work/device_tests.log" 2>&1; then
    echo "- device tests: $(sed -n 's/.*test cases: *\([0-9]*\) | *\([0-9]*\) passed.*/\2 of \1 passed/p' "$work/device_tests.log")"
  else
    echo "- device tests: **failed**, $work/device_tests.log"
    failed=1
  fi
}

# A small pack and base, made on the CPU.
world=$work/world
make_world() {
  [[ ! -e $world/base/vl/config.json ]] || return 0
  say 'a small pack and base'
  rm -rf "$world"
  manifest() { "$bin/safe-manifest" --quiet "$@" >&2; }
  vqa=$world/data/vqa
  val=(--questions "$vqa/v2_OpenEnded_mscoco_val2014_questions.json" --annotations "$vqa/v2_mscoco_val2014_annotations.json")
  "$bin/safe-packer" synthesize --quiet --out "$world/data" --clips 60 --questions 600 --train-questions 2000 >&2
  manifest audio --metadata "$world/data/audiocaps/train.csv" --subset-size 32 --output "$world/subset_manifest.json"
  manifest val "${val[@]}" --subset-size 100 --output "$world/val_manifest.json"
  manifest retention "${val[@]}" --subset-size 100 --exclude "$world/val_manifest.json" --output "$world/retention_manifest.json"
  manifest base --questions "$vqa/v2_OpenEnded_mscoco_train2014_questions.json" \
    --annotations "$vqa/v2_mscoco_train2014_annotations.json" --subset-size 1000 --captions "$world/data/audiocaps/train.csv" \
    --exclude "$world/val_manifest.json" --exclude "$world/retention_manifest.json" --exclude "$world/subset_manifest.json" \
    --output "$world/base_manifest.json"
  "$bin/safe-packer" build --quiet --manifest "$world/subset_manifest.json" --val-manifest "$world/val_manifest.json" \
    --source-root "$world/data/audiocaps" --dest-root "$world/pack" >&2
  "$bin/safe-trainer" --quiet make-base --pack "$world/pack" --out "$world/base" --steps 200 >&2
}

# RUNS DEVICE VARIANT [FLAG...]: the run that came of it is the only one in $work/RUNS.
train() {
  rm -rf "${work:?}/$1"
  "$bin/safe-trainer" --quiet run --variant "$3" --pack-root "$world/pack" --audio-encoder "$world/base/audio" \
    --output-root "$work/$1" --device "$2" --feature-cache "$work/features" --subset-size 32 --val-size 100 "${@:4}" >&2
}

variants() {
  echo
  echo "| variant | loss, largest distance from the CPU's in steps 1, 10 and the last, relative | the same predictions | a second run on $device |"
  echo '|---|---|---|---|'
  for variant in no_retention soft_retention full_safe; do
    say "$variant on the CPU and twice on $device"
    flags=(--base "$world/base/vl" --num-epochs 104 --train-batch-size 32 --dtype float32)
    train cpu cpu "$variant" "${flags[@]}"
    train first "$device" "$variant" "${flags[@]}"
    train second "$device" "$variant" "${flags[@]}"
    "$python" - "$work" "$variant" <<'END' || failed=1
import json, sys
from pathlib import Path
work, variant = Path(sys.argv[1]), sys.argv[2]
cpu, first, second = (next((work / name).glob("[0-9]*")) for name in ("cpu", "first", "second"))
losses = [[json.loads(line)["total_loss"] for line in open(run / "history.jsonl")] for run in (cpu, first)]
far = [abs(a - b) / abs(a) for a, b in zip(*losses)]
said = [[json.loads(line)["prediction"] for line in open(run / "predictions.jsonl")] for run in (cpu, first)]
same = sum(a == b for a, b in zip(*said))
equal = all((first / name).read_bytes() == (second / name).read_bytes()
            for name in ("history.jsonl", "predictions.jsonl", "metrics.json"))
print(f"| {variant} | {far[0]:.1e}, {far[9]:.1e}, {far[-1]:.1e} | {same} of {len(said[0])} | {'the same bytes' if equal else '**other bytes**'} |")
sys.exit(not equal or far[0] > 1e-4)
END
  done
}

# NAME COMMAND...: what it prints goes to $work/NAME.json, and the bytes that it took at most to $work/NAME.memory: of the
# GPU, all that is used there, so that nobody else may use it meanwhile.
measured() {
  "$python" - "$device" "$work/$1" "${@:2}" <<'END' >&2
import resource, subprocess, sys, threading
device, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
used, ended = [0], threading.Event()
def watch():
    while not ended.wait(0.2):
        said = subprocess.run(["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"], capture_output=True, text=True)
        used.append(max(map(int, said.stdout.split()), default=0) * 2 ** 20)
thread = threading.Thread(target=watch)
if device == "cuda":
    thread.start()
with open(name + ".json", "w") as out:
    code = subprocess.call(command, stdout=out)
ended.set()
if device == "cuda":
    thread.join()
else:
    used.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
open(name + ".memory", "w").write(str(max(used)))
sys.exit(code)
END
}

peak_rate() { # operations a second of a product of two large bfloat16 matrices
  "$python" - "$device" <<'END'
import sys, time, torch
device = sys.argv[1]
size = 8192 if device == "cuda" else 1024
a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
wait = torch.cuda.synchronize if device == "cuda" else lambda: None
best = float("inf")
for _ in range(5):
    wait(); start = time.monotonic(); a @ a; wait(); best = min(best, time.monotonic() - start)
print(f"{2 * size ** 3 / best:.6g}")
END
}

shapes() {
  local peak shape model kept layers flags
  peak=$(peak_rate)
  echo
  echo "Shapes, in $dtype, against transformers (\`tests/bench/kl_step.py\`); ${question_batch} questions a KL step. The rate is of a step of"
  echo "\`full_safe\`, by the operations that \`plan\` counts, of the $(awk -v r="$peak" 'BEGIN { printf "%.3g", r / 1e12 }') TFLOP/s of a large product here."
  echo
  echo '| shape | KL step, keys kept | states | transformers | times as fast | memory | transformers | load | step | of the rate | questions a second, three voices | memory at most, GB | plan said |'
  echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
  for shape in "${named[@]}"; do
    model=$work/$shape
    if [[ ! -e $model/config.json ]]; then
      say "random weights of shape $shape"
      "$python" tests/bench/random_llava.py "$model" "$shape" "$world/base/vl" >&2
    fi
    say "KL steps of $shape"
    for kept in keys states; do
      measured "$kept" "$bin/bench_kl_step" "$model" "$work/adapter.safetensors" "$question_batch" 5 "$dtype" "$kept" "$question_batch" "$device"
    done
    measured peer "$python" tests/bench/kl_step.py "$model" "$work/adapter.safetensors" "$question_batch" 5 "$dtype" "$device"
    say "eight steps and ten answers of $shape"
    case $shape in tiny) layers=2,4,6 ;; small) layers=3,6,12 ;; *) layers=6,12,24 ;; esac
    flags=(--variant full_safe --pack-root "$world/pack" --audio-encoder "$world/base/audio" --device "$device" --subset-size 32
      --base "$model" --model-config full --fusion-layers "$layers" --dtype "$dtype" --num-epochs 4 --train-batch-size 16
      --retention-batch-size 16 --fisher-weight 0 --val-size 10 --null-space-min-samples 8 --retention-size 32)
    "$bin/safe-trainer" plan --json "${flags[@]}" >"$work/plan.json"
    measured run "$bin/safe-trainer" --quiet run --output-root "$work/shape" "${flags[@]}"
    "$python" - "$work" "$shape" "$device" "$peak" <<'END'
import json, statistics, sys
from pathlib import Path
work, shape, device, peak = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
read = lambda name: json.loads((work / name).read_text())
keys, states, peer, plan = (read(f"{name}.json") for name in ("keys", "states", "peer", "plan"))
run = max((work / "shape").glob("[0-9]*"), key=lambda path: path.stat().st_mtime)
timings = json.loads((run / "timings.json").read_text())
steps = sum(1 for _ in open(run / "history.jsonl"))
step = timings["train_s"] / steps
median = lambda one: statistics.median(one["seconds"])
# On a CPU all lies in one memory.
planned = plan["device_bytes"] + (plan["host_bytes"] if device == "cpu" else 0)
gb = lambda name: f"{int((work / name).read_text()) / 1e9:.1f}"
print(f"| {shape} | {median(keys):.3f} s | {median(states):.3f} s | {median(peer):.3f} s | {median(peer) / median(keys):.1f}, {median(peer) / median(states):.1f} | "
      f"{gb('keys.memory')} GB | {gb('peer.memory')} GB | {timings['load_s']:.1f} s | {step:.2f} s | {plan['step_flops'] / step / peak:.0%} | "
      f"{10 / timings['evaluate_s']:.2f} | {gb('run.memory')} | {planned / 1e9:.1f} |")
END
    rm -rf "$work/shape"
  done
}

! does tests || device_tests
if does variants || does shapes; then make_world; fi
! does variants || variants
! does shapes || shapes
exit "$failed"
