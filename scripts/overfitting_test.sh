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
#   scripts/overfitting_test.sh [FLAG...]                 here, one after the other; a variant that fails does not stop
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
#
# Always on, as in the original: --eval-with-audio-gate --eval-audio-gate-comparison.
#
# Exit codes: 0 all variants done; 1 a variant failed (named at the end); 2 no such array task; 3 no trainer or no
# pack; 75 asked to stop: the trainer has saved, or had nothing to save. Under SLURM the job then requeues itself and
# goes on; elsewhere run this again with --resume.
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
add --seed "${SEED:-}"
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

VARIANTS=(no_retention soft_retention full_safe)

log() { printf '[%s] %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
die() {
  local code=$1
  shift
  log "overfitting_test.sh: $*"
  exit "$code"
}

find_trainer() {
  if [[ -n ${SAFE_TRAINER:-} ]]; then
    printf '%s\n' "$SAFE_TRAINER"
  elif [[ -x build/release/bin/safe-trainer ]]; then
    printf '%s\n' "$PWD/build/release/bin/safe-trainer"
  else
    command -v safe-trainer || true
  fi
}

# --signal reaches job steps, not the batch shell: under SLURM the trainer is a step, and elsewhere a child to
# which a TERM is passed on, also for HUP, USR1 and USR2 (nohup's HUP stays ignored). Whoever signals the whole job
# (scancel --full, qdel, systemctl stop) reaches both, and the trainer gets it twice; for it any number of them is one. An
# INT from the terminal reaches it by itself.
child=
signalled=0
stopped=0
forwarded=0
forward() {
  if [[ $stopped == 1 && $forwarded == 0 && -n $child ]]; then
    forwarded=1
    kill -TERM "$child" 2>/dev/null || true
  fi
}
trap 'signalled=1; stopped=1; forward' TERM HUP USR1 USR2
trap 'signalled=1' INT

run_variant() {
  local variant=$1 code
  shift
  local -a command=("$TRAINER" run --variant "$variant" --pack-root "$PACK_ROOT" --output-root "$OUTPUT_ROOT"
    --eval-with-audio-gate --eval-audio-gate-comparison "${flags[@]}")
  # A job that SLURM started before has a run to go on with.
  [[ ${SLURM_RESTART_COUNT:-0} == 0 ]] || command+=(--resume)
  command+=("$@")
  if [[ -n ${SLURM_JOB_ID:-} ]] && command -v srun >/dev/null; then
    command=(srun --ntasks=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" "${command[@]}")
  fi
  log "$variant: $(printf '%q ' "${command[@]}")"
  "${command[@]}" &
  child=$!
  forward # of a TERM that came before there was a child
  # A signal ends the wait and not the child.
  while :; do
    signalled=0
    code=0
    wait "$child" || code=$?
    [[ $signalled == 1 ]] || break
  done
  child=
  log "$variant: exit code $code"
  return "$code"
}

# A job that is being cancelled must not come back.
requeue() {
  [[ -n ${SLURM_JOB_ID:-} ]] && command -v scontrol >/dev/null || return 0
  [[ $(squeue --noheader --jobs "$SLURM_JOB_ID" --format %T 2>/dev/null) == RUNNING ]] || return 0
  log "requeueing job $SLURM_JOB_ID"
  scontrol requeue "$SLURM_JOB_ID" || log "SLURM did not requeue it; submit it again with --resume"
}

if [[ -n ${CONDA_ENV:-} ]]; then
  set +u # conda's own scripts read variables that are not set
  eval "$(conda shell.bash hook)"
  conda activate "$CONDA_ENV"
  set -u
fi

TRAINER=$(find_trainer)
if [[ -z $TRAINER ]] || ! command -v "$TRAINER" >/dev/null; then
  die 3 "no safe-trainer${TRAINER:+ at $TRAINER}; build it (cmake --preset release && cmake --build --preset release)" \
    "or name it in SAFE_TRAINER"
fi
if [[ ${TRAIN_SOURCE:-pack} == pack && ! -e $PACK_ROOT ]]; then
  die 3 "no pack at $PACK_ROOT; build one (safe-packer build) or extract one (safe-packer extract) and set PACK_ROOT"
fi
mkdir -p "$OUTPUT_ROOT"

variants=("${VARIANTS[@]}")
if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then
  [[ $SLURM_ARRAY_TASK_ID =~ ^[0-2]$ ]] || die 2 "array task $SLURM_ARRAY_TASK_ID is no variant; use --array=0-2"
  variants=("${VARIANTS[SLURM_ARRAY_TASK_ID]}")
fi

failed=()
for variant in "${variants[@]}"; do
  if [[ $stopped == 1 ]]; then
    requeue
    die 75 "stopped before $variant; run this again with --resume to go on"
  fi
  code=0
  run_variant "$variant" "$@" || code=$?
  case $code in
    0) ;;
    75)
      requeue
      die 75 "$variant was stopped and has saved; run this again with --resume to go on"
      ;;
    129 | 130 | 138 | 140 | 143) # 128 + a signal: it came before the trainer listened
      [[ $stopped == 1 ]] || die "$code" "$variant was interrupted"
      requeue
      die 75 "$variant was stopped before its first step; run this again to start it again"
      ;;
    *) failed+=("$variant (exit code $code)") ;;
  esac
done

if ((${#failed[@]} > 0)); then
  summary=$(printf '%s, ' "${failed[@]}")
  die 1 "failed: ${summary%, }"
fi
log "done: ${variants[*]}; runs in $OUTPUT_ROOT"
log "next: $(printf '%q' "$TRAINER") report $(printf '%q' "$OUTPUT_ROOT")/*"
