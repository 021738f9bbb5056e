#!/usr/bin/env bash
#SBATCH --job-name=safe-overfitting
#SBATCH --array=0-2
#SBATCH --time=12:00:00
#SBATCH --mem=48G
#SBATCH --cpus-per-task=8
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=safe-overfitting-%A_%a.log
#
# The three variants of the overfitting ablation.
#
#   sbatch scripts/overfitting_test.sh                    one array task a variant, on CPUs
#   SBATCH_GRES=gpu:1 sbatch scripts/overfitting_test.sh  the same on GPUs; needs a LibTorch for CUDA, Debian's has none
#   SEEDS='42 43 44' sbatch --array=0-8 scripts/overfitting_test.sh   three variants with three seeds
#   sbatch --ntasks=4 --gpus-per-task=1 scripts/overfitting_test.sh   four processes share each run
#   SWEEP=sweep.json sbatch --array=0-N scripts/overfitting_test.sh   the runs of a sweep file; safe-trainer sweep
#                                                         --count says how many there are, and N is one less
#   scripts/overfitting_test.sh [FLAG...]                 here, one after the other; a run that fails does not stop
#                                                         the rest
#
# Further arguments go to safe-trainer run. A variable that is not set leaves the default of safe-trainer run, which its
# --help shows; the names are the Python original's:
#
#   PACK_ROOT        --pack-root         a pack, a folder or a .tar
#   DATA_ROOT        --data-path         holds audiocaps/ and vqa/; where it is a pack and PACK_ROOT is not set, the pack
#   OUTPUT_ROOT      --output-root       here: experiments/overfitting/runs, and below it the number of a SLURM job
#   SUBSET_SIZE      --subset-size       TRAIN_SOURCE   --train-source      VAL_SOURCE    --val-source
#   VAL_SIZE         --val-size          NUM_EPOCHS     --num-epochs        SEED          --seed
#   TRAIN_BS         --train-batch-size  VAL_BS         --val-batch-size    NUM_WORKERS   --num-workers
#   MODEL_CONFIG     --model-config      BASE           --base              AUDIO_ENCODER --audio-encoder
#   MAX_EVAL_BATCHES --max-eval-batches  MAX_AUDIO_EVAL_BATCHES --max-audio-eval-batches
#   MAX_VL_EVAL_BATCHES --max-vl-eval-batches               EVAL_LOGGING_STEPS --eval-logging-steps
#   TRAIN_ACCURACY_INTERVAL --train-accuracy-interval       TRAIN_ACCURACY_WARMUP --train-accuracy-warmup
#   TRAIN_EVAL_BATCHES --train-eval-batches                 GEN_MAX_NEW_TOKENS --generation-max-new-tokens
#   DEBUG_LOGGING    --debug-logging, unless 0
#   SAFE_TRAINER     the program; CONDA_ENV  an environment to activate first
#   VARIANTS, SEEDS  which variants (all three), each with which seeds (SEED)
#   SWEEP            a sweep file, instead of them
#   STAGE            a folder on the node's own disk, to which the pack is copied, once a node, and verified on the way;
#                    $TMPDIR in it, in single quotes, is the node's
#
# Always on, as in the original: --eval-with-audio-gate --eval-audio-gate-comparison.
#
# Exit codes: 0 all runs done; 1 a run failed (named at the end); 2 no such array task; 3 no trainer or no pack;
# 75 asked to stop: the trainer has saved, or had nothing to save. Under SLURM the task then requeues itself, alone, and
# goes on; so does one whose trainer was killed, unless that happens three times in a row with nothing saved in between.
# Elsewhere run this again with --resume.
set -euo pipefail

# The original's DATA_ROOT is the pack itself.
if [[ -z ${PACK_ROOT:-} && -n ${DATA_ROOT:-} && (-e $DATA_ROOT/SHA256SUMS || -f $DATA_ROOT) ]]; then
  PACK_ROOT=$DATA_ROOT
fi
PACK_ROOT=${PACK_ROOT:-$PWD/experiments/overfitting/data_pack}
# One folder for the three tasks of an array; outside SLURM there is no job number to add.
JOB=${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID:-}}
OUTPUT_ROOT=${OUTPUT_ROOT:-$PWD/experiments/overfitting/runs${JOB:+/$JOB}}

# Flags of the variables that are set.
flags=()
add() { # FLAG VALUE
  [[ -z $2 ]] || flags+=("$1" "$2")
}
add --train-source "${TRAIN_SOURCE:-}"
add --val-source "${VAL_SOURCE:-}"
add --val-size "${VAL_SIZE:-}"
add --subset-size "${SUBSET_SIZE:-}"
add --data-path "${DATA_ROOT:-}"
add --train-batch-size "${TRAIN_BS:-}"
add --val-batch-size "${VAL_BS:-}"
add --num-epochs "${NUM_EPOCHS:-}"
add --num-workers "${NUM_WORKERS:-}"
add --model-config "${MODEL_CONFIG:-}"
add --base "${BASE:-}"
add --audio-encoder "${AUDIO_ENCODER:-}"
add --max-eval-batches "${MAX_EVAL_BATCHES:-}"
add --max-audio-eval-batches "${MAX_AUDIO_EVAL_BATCHES:-}"
add --max-vl-eval-batches "${MAX_VL_EVAL_BATCHES:-}"
add --eval-logging-steps "${EVAL_LOGGING_STEPS:-}"
add --train-accuracy-interval "${TRAIN_ACCURACY_INTERVAL:-}"
add --train-accuracy-warmup "${TRAIN_ACCURACY_WARMUP:-}"
add --train-eval-batches "${TRAIN_EVAL_BATCHES:-}"
add --generation-max-new-tokens "${GEN_MAX_NEW_TOKENS:-}"
[[ ${DEBUG_LOGGING:-0} == 0 ]] || flags+=(--debug-logging)

# Each run is a line of words: a variant and its seed, or - and its number in the sweep.
list_runs() {
  if [[ -n ${SWEEP:-} ]]; then
    local count
    count=$("$TRAINER" sweep "$SWEEP" --count) || return
    for ((i = 0; i < count; ++i)); do echo "- $i"; done
    return
  fi
  local seed variant
  for seed in ${SEEDS:-${SEED:-default}}; do
    for variant in ${VARIANTS:-no_retention soft_retention full_safe}; do echo "$variant $seed"; done
  done
}

log() { printf '[%s] %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
die() {
  local code=$1
  shift
  log "overfitting_test.sh: $*"
  exit "$code"
}

find_program() { # NAME
  local beside=
  [[ ${SAFE_TRAINER:-} != */* ]] || beside=$(dirname "$SAFE_TRAINER")/$1
  if [[ $1 == safe-trainer && -n ${SAFE_TRAINER:-} ]]; then
    printf '%s\n' "$SAFE_TRAINER"
  elif [[ -n $beside && -x $beside ]]; then
    printf '%s\n' "$beside"
  elif [[ -x build/release/bin/$1 ]]; then
    printf '%s\n' "$PWD/build/release/bin/$1"
  else
    command -v "$1" || true
  fi
}

# A TERM to this shell is passed on to the trainer, also for HUP, USR1 and USR2 (nohup's HUP stays ignored). Whoever signals
# the whole job (scancel --full, qdel, systemctl stop) reaches both, and the trainer gets it twice; for it any number of them
# is one. An INT from the terminal reaches it by itself.
child=
signalled=0
stopped=0
forwarded=0
forward() {
  if [[ $stopped == 1 && $forwarded == 0 && -n $child ]]; then
    forwarded=1
    # Of several processes srun is the child, which would kill them; SLURM signals the step itself.
    if [[ ${#launcher[@]} -gt 0 ]]; then signal_step; else kill -TERM "$child" 2>/dev/null || true; fi
  fi
}

# Several tasks a job share each run: they are a step, which SLURM starts on all its nodes.
launcher=()
step_name=safe-trainer-$$
if [[ -n ${SLURM_JOB_ID:-} && ${SLURM_NTASKS:-1} -gt 1 ]]; then
  launcher=(srun --ntasks="$SLURM_NTASKS" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --job-name="$step_name"
    --overlap --kill-on-bad-exit=0 --wait=0)
fi
# SLURM may not know the step yet.
signal_step() {
  local step
  while kill -0 "$child" 2>/dev/null; do
    step=$(squeue --steps --noheader --jobs "$SLURM_JOB_ID" --format '%i %j' 2>/dev/null | awk -v name="$step_name" '$2 == name {print $1}')
    [[ -z $step ]] || ! scancel --signal=TERM "$step" || return 0
    sleep 1
  done
}
trap 'signalled=1; stopped=1; forward' TERM HUP USR1 USR2
trap 'signalled=1' INT

# The name of a run in messages and files.
name_of() { # VARIANT SEED
  if [[ $1 == - ]]; then
    echo "run $2 of $SWEEP"
  elif [[ $2 == default ]]; then
    echo "$1"
  else
    echo "$1, seed $2"
  fi
}

# SLURM sends the signal of --signal, and that of scancel --signal, to job steps and not to this shell. So there is a step
# that does nothing but die of it, and tells this shell. The trainer of a job with one task is no step itself: srun kills its step at once when it gets a TERM too,
# and scancel --full sends it one.
listen() { # PROCESS
  local code=0
  # shellcheck disable=SC2016 # the step's own shell puts the number in
  srun --ntasks=1 --overlap --mem=0 --quiet bash -c 'while kill -0 "$1"; do sleep 1; done' listen "$1" \
    >/dev/null 2>&1 || code=$?
  case $code in 129 | 138 | 140 | 143) kill -TERM $$ ;; esac # HUP, USR1, USR2, TERM
}

run_one() { # VARIANT SEED [FLAG...]
  local variant=$1 seed=$2 name code
  name=$(name_of "$1" "$2")
  shift 2
  local -a command
  if [[ $variant == - ]]; then
    command=("$TRAINER" sweep "$SWEEP" --task "$seed" --pack-root "$PACK_ROOT" --output-root "$OUTPUT_ROOT")
    [[ -z ${BASE:-} ]] || command+=(--base "$BASE")
    [[ -z ${AUDIO_ENCODER:-} ]] || command+=(--audio-encoder "$AUDIO_ENCODER")
  else
    command=("$TRAINER" run --variant "$variant" --pack-root "$PACK_ROOT" --output-root "$OUTPUT_ROOT"
      --eval-with-audio-gate --eval-audio-gate-comparison)
    [[ $seed == default ]] || command+=(--seed "$seed")
    command+=("${flags[@]}")
    # A job that SLURM started before has a run to go on with. A sweep always goes on.
    [[ ${SLURM_RESTART_COUNT:-0} == 0 ]] || command+=(--resume)
  fi
  command=("${launcher[@]}" "${command[@]}" "$@")
  log "$name: $(printf '%q ' "${command[@]}")"
  "${command[@]}" &
  child=$!
  forward # of a TERM that came before there was a child
  if [[ -n ${SLURM_JOB_ID:-} ]] && command -v srun >/dev/null; then listen "$child" & fi
  # A signal ends the wait and not the child.
  while :; do
    signalled=0
    code=0
    wait "$child" || code=$?
    [[ $signalled == 1 ]] || break
  done
  child=
  log "$name: exit code $code"
  return "$code"
}

# In an array the number of the last task's job is that of the whole array: only ARRAY_TASK names one task.
this_job() {
  if [[ -n ${SLURM_ARRAY_JOB_ID:-} && -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
    echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  else
    echo "${SLURM_JOB_ID:-}"
  fi
}

# False where there is no SLURM, or where the job is being cancelled: that one must not come back.
requeue() {
  local job
  job=$(this_job)
  [[ -n $job ]] && command -v scontrol >/dev/null || return 1
  [[ $(squeue --noheader --jobs "$job" --format %T 2>/dev/null) == RUNNING ]] || return 1
  log "requeueing job $job"
  scontrol requeue "$job" || {
    log "SLURM did not requeue job $job; submit it again with --resume"
    return 1
  }
}

# What runs have saved, as times and sizes.
saved_so_far() {
  find "$OUTPUT_ROOT" -name last.safetensors -printf '%p %s %T@\n' -o -name 'predictions*' -printf '%p %s\n' 2>/dev/null |
    sort
}
# A trainer that is killed whenever it is started, before it has saved anything, would be killed for ever: after three
# times in a row the task ends. Once may be chance, or a node that was slow to begin.
killed_note() { echo "$OUTPUT_ROOT/.killed-$(this_job)"; }
requeue_killed() {
  local note times=0 saved
  note=$(killed_note) saved=$(saved_so_far)
  # Its first line is how often in a row, the rest what was saved then.
  if [[ -e $note && $(tail -n +2 "$note") == "$saved" ]]; then times=$(head -n 1 "$note"); fi
  [[ $times =~ ^[12]$ ]] || times=0
  if ((times == 2)); then
    rm -f "$note"
    return 1
  fi
  printf '%s\n%s\n' $((times + 1)) "$saved" >"$note"
  requeue
}
requeue_stopped() {
  rm -f "$(killed_note)"
  requeue || true
}

# Copies the pack to the node's own disk, once: the first task of a node does it, the others wait for it. Every byte is
# verified on the way, and again when the trainer opens the pack.
stage() {
  local packer id copy
  [[ ${SLURM_JOB_NUM_NODES:-1} -eq 1 ]] || die 2 "STAGE copies the pack to one node, and the job has $SLURM_JOB_NUM_NODES"
  packer=$(find_program safe-packer)
  [[ -n $packer ]] || die 3 "STAGE needs safe-packer beside safe-trainer or in PATH"
  id=$("$packer" list --json "$PACK_ROOT" | sed -n 's/^  "id": "\([0-9a-f]*\)".*/\1/p')
  [[ -n $id ]] || die 3 "cannot read the id of $PACK_ROOT; check it: safe-packer verify $PACK_ROOT"
  # shellcheck disable=SC2016 # these very characters
  STAGE=${STAGE//'$TMPDIR'/${TMPDIR:-/tmp}}
  mkdir -p "$STAGE"
  copy=$STAGE/safe-pack-$id
  exec 9>"$STAGE/.copying-$id" # not .safe-pack-$id.lock, which is extract's own
  flock 9
  if [[ ! -e $copy ]]; then
    log "copying $PACK_ROOT to $copy"
    if [[ -d $PACK_ROOT ]]; then
      "$packer" --quiet archive "$PACK_ROOT" -o - | "$packer" --quiet extract - --dest "$copy" --expect "$id" >&2
    else
      "$packer" --quiet extract "$PACK_ROOT" --dest "$copy" --expect "$id" >&2
    fi
  fi
  exec 9>&-
  PACK_ROOT=$copy
  flags+=(--pack-id "$id")
}

if [[ -n ${CONDA_ENV:-} ]]; then
  set +u # conda's own scripts read variables that are not set
  eval "$(conda shell.bash hook)"
  conda activate "$CONDA_ENV"
  set -u
fi

TRAINER=$(find_program safe-trainer)
if [[ -z $TRAINER ]] || ! command -v "$TRAINER" >/dev/null; then
  die 3 "no safe-trainer${TRAINER:+ at $TRAINER}; build it (cmake --preset release && cmake --build --preset release)" \
    "or name it in SAFE_TRAINER"
fi
if [[ ${TRAIN_SOURCE:-pack} == pack && ! -e $PACK_ROOT ]]; then
  die 3 "no pack at $PACK_ROOT; build one (safe-packer build) or extract one (safe-packer extract) and set PACK_ROOT"
fi
mkdir -p "$OUTPUT_ROOT"

mapfile -t runs < <(list_runs)
((${#runs[@]} > 0)) || die 3 "no runs${SWEEP:+ in $SWEEP}"
if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
  [[ $SLURM_ARRAY_TASK_ID =~ ^[0-9]+$ && $SLURM_ARRAY_TASK_ID -lt ${#runs[@]} ]] ||
    die 2 "there is no run for array task $SLURM_ARRAY_TASK_ID; use --array=0-$((${#runs[@]} - 1))"
  runs=("${runs[SLURM_ARRAY_TASK_ID]}")
fi
[[ -z ${STAGE:-} ]] || stage

failed=()
for run in "${runs[@]}"; do
  read -r variant seed <<<"$run"
  name=$(name_of "$variant" "$seed")
  if [[ $stopped == 1 ]]; then
    requeue_stopped
    die 75 "stopped before $name; run this again with --resume to go on"
  fi
  code=0
  run_one "$variant" "$seed" "$@" || code=$?
  case $code in
    0) ;;
    75)
      requeue_stopped
      die 75 "$name was stopped and has saved; run this again with --resume to go on"
      ;;
    129 | 130 | 138 | 140 | 143) # 128 + a signal: it came before the trainer listened
      [[ $stopped == 1 ]] || die "$code" "$name was interrupted"
      requeue_stopped
      die 75 "$name was stopped before its first step; run this again to start it again"
      ;;
    137)
      ! requeue_killed || die 75 "$name was killed; it goes on from what it has saved"
      failed+=("$name (killed; out of memory?)")
      ;;
    *) failed+=("$name (exit code $code)") ;;
  esac
done

if ((${#failed[@]} > 0)); then
  summary=$(printf '%s, ' "${failed[@]}")
  die 1 "failed: ${summary%, }"
fi
log "done: ${#runs[@]} $([[ ${#runs[@]} == 1 ]] && echo run || echo runs); in $OUTPUT_ROOT"
log "next: $(printf '%q' "$TRAINER") report $(printf '%q' "$OUTPUT_ROOT")/*"
