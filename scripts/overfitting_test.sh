#!/usr/bin/env bash
#SBATCH --job-name=safe-overfitting
#SBATCH --array=0-2
#SBATCH --time=12:00:00
#SBATCH --mem=48G
#SBATCH --cpus-per-task=8
#SBATCH --signal=B:TERM@120
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
#   SWEEP            a sweep file, instead of them; of the variables above it takes PACK_ROOT, DATA_ROOT, OUTPUT_ROOT, BASE
#                    and AUDIO_ENCODER, for all of its runs
#   STAGE            a folder on the node's own disk, to which the pack is copied, once a node, and verified on the way,
#                    as STAGE/safe-packs-UID/safe-pack-ID; $TMPDIR in it, in single quotes, is the first node's
#
# Always on, as in the original: --eval-with-audio-gate --eval-audio-gate-comparison.
#
# Exit codes: 0 all runs done; 1 a run failed (named at the end); 2 no such array task; 3 no trainer or no pack; those of
# safe-packer where STAGE failed; 75 asked to stop: the trainer has saved, or had nothing to save. Under SLURM the task
# then requeues itself, alone, and goes on; so does one whose trainer was killed, unless that happens three times in a row
# with nothing saved in between. Elsewhere run this again with --resume.
set -euo pipefail

# The original's DATA_ROOT is the pack itself.
if [[ -z ${PACK_ROOT:-} && -n ${DATA_ROOT:-} && (-e $DATA_ROOT/SHA256SUMS || -f $DATA_ROOT) ]]; then
  PACK_ROOT=$DATA_ROOT
fi
# A sweep file may name packs itself; only one that was named here stands above it.
pack_is_named=${PACK_ROOT:+yes}
PACK_ROOT=${PACK_ROOT:-$PWD/experiments/overfitting/data_pack}
# One folder for the three tasks of an array; outside SLURM there is no job number to add.
JOB=${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID:-}}
OUTPUT_ROOT=${OUTPUT_ROOT:-$PWD/experiments/overfitting/runs${JOB:+/$JOB}}

# What to do about a run that was stopped. A sweep always resumes.
again="run this again with --resume"
[[ -z ${SWEEP:-} ]] || again="run this again"

# Flags of the variables that are set, and the names of those.
flags=() named=()
add() { # FLAG VARIABLE
  [[ -n ${!2:-} ]] || return 0
  flags+=("$1" "${!2}")
  named+=("$2")
}
add --train-source TRAIN_SOURCE
add --val-source VAL_SOURCE
add --val-size VAL_SIZE
add --subset-size SUBSET_SIZE
add --data-path DATA_ROOT
add --train-batch-size TRAIN_BS
add --val-batch-size VAL_BS
add --num-epochs NUM_EPOCHS
add --num-workers NUM_WORKERS
add --model-config MODEL_CONFIG
add --base BASE
add --audio-encoder AUDIO_ENCODER
add --max-eval-batches MAX_EVAL_BATCHES
add --max-audio-eval-batches MAX_AUDIO_EVAL_BATCHES
add --max-vl-eval-batches MAX_VL_EVAL_BATCHES
add --eval-logging-steps EVAL_LOGGING_STEPS
add --train-accuracy-interval TRAIN_ACCURACY_INTERVAL
add --train-accuracy-warmup TRAIN_ACCURACY_WARMUP
add --train-eval-batches TRAIN_EVAL_BATCHES
add --generation-max-new-tokens GEN_MAX_NEW_TOKENS
[[ ${DEBUG_LOGGING:-0} == 0 ]] || flags+=(--debug-logging)

# Each run is a line: its number, its seed, and its variant or its name in the sweep, as JSON.
list_runs() {
  if [[ -n ${SWEEP:-} ]]; then
    "$TRAINER" sweep "$SWEEP" --list
    return
  fi
  local seed variant
  for seed in ${SEEDS:-${SEED:-default}}; do
    for variant in ${VARIANTS:-no_retention soft_retention full_safe}; do echo "- $seed $variant"; done
  done
}
# The run that is at work: which, and how messages call it.
choose() { # LINE
  read -r task seed name <<<"$1"
  run=$name
  [[ $seed == default ]] || run+=", seed $seed"
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
    if [[ $child_is_step == 1 ]]; then
      signal_step # srun would kill its processes
    else
      pkill -TERM --parent "$child" || true # a shell, when the pack is copied, dies without the programs that it runs
      kill -TERM "$child" 2>/dev/null || true
    fi
  fi
}
trap 'signalled=1; stopped=1; forward' TERM HUP USR1 USR2
trap 'signalled=1' INT

# Of no other task of an array, whose shells may have the same number on other nodes.
step_name=safe-trainer-${SLURM_ARRAY_TASK_ID:-0}-$$
# SLURM may not know the step yet, or be too busy to answer: it is asked until the step has got its TERM.
signal_step() {
  local steps step
  while kill -0 "$child" 2>/dev/null; do
    steps=$(squeue --steps --noheader --jobs "$SLURM_JOB_ID" --format '%i %j' 2>/dev/null) || steps=
    step=$(awk -v name="$step_name" '$2 == name {print $1; exit}' <<<"$steps")
    [[ -z $step ]] || ! scancel --signal=TERM "$step" || return 0
    sleep 1
  done
}

# Runs a command that hears the signals above, and gives its exit code.
await() { # COMMAND...
  local code
  "$@" &
  child=$! child_is_step=0
  [[ $1 != srun ]] || child_is_step=1
  forward # of a TERM that came before there was a child
  # A signal ends the wait and not the child.
  while :; do
    signalled=0
    code=0
    wait "$child" || code=$?
    [[ $signalled == 1 ]] || break
  done
  child=
  return "$code"
}

# SLURM sends the TERM before the time limit to this shell (B:), and that of scancel --signal to job steps and not to this
# shell. So there is a step that does nothing but die of it, and tells this shell. The trainer of a job with one task is no
# step itself: srun kills its step at once when it gets a TERM too, and scancel --full sends it one.
listen() {
  local code=0 said
  # shellcheck disable=SC2016 # the step's own shell puts the number in
  said=$(srun --ntasks=1 --overlap --mem=0 --quiet bash -c 'while kill -0 "$1"; do sleep 1; done' listen $$ 2>&1) || code=$?
  kill -0 $$ 2>/dev/null || return 0
  case $code in
    129 | 138 | 140 | 143) kill -TERM $$ ;; # HUP, USR1, USR2, TERM
    *) log "this job no longer hears scancel --signal, only the time limit: srun ended with exit code $code${said:+: ${said//$'\n'/; }}" ;;
  esac
}

# Several tasks a job share each run: they are a step, which SLURM starts on all its nodes.
launcher=()
if [[ -n ${SLURM_JOB_ID:-} && ${SLURM_NTASKS:-1} -gt 1 ]]; then
  launcher=(srun --ntasks="$SLURM_NTASKS" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --job-name="$step_name"
    --overlap --kill-on-bad-exit=0 --wait=0)
fi

run_one() { # [FLAG...]
  local -a command
  local code=0
  if [[ -n ${SWEEP:-} ]]; then
    command=("$TRAINER" sweep "$SWEEP" --task "$task" --output-root "$OUTPUT_ROOT")
    [[ -z $pack_is_named ]] || command+=(--pack-root "$PACK_ROOT")
    [[ -z ${DATA_ROOT:-} ]] || command+=(--data-path "$DATA_ROOT")
    [[ -z ${BASE:-} ]] || command+=(--base "$BASE")
    [[ -z ${AUDIO_ENCODER:-} ]] || command+=(--audio-encoder "$AUDIO_ENCODER")
  else
    command=("$TRAINER" run --variant "$name" --pack-root "$PACK_ROOT" --output-root "$OUTPUT_ROOT"
      --eval-with-audio-gate --eval-audio-gate-comparison)
    [[ $seed == default ]] || command+=(--seed "$seed")
    command+=("${flags[@]}")
    # A job that SLURM started before has a run to go on with. A sweep always goes on.
    [[ ${SLURM_RESTART_COUNT:-0} == 0 ]] || command+=(--resume)
  fi
  command=("${launcher[@]}" "${command[@]}" "${pack_id[@]}" "$@")
  log "$run: $(printf '%q ' "${command[@]}")"
  await "${command[@]}" || code=$?
  log "$run: exit code $code"
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

# False where there is no SLURM, or where the job is being cancelled: that one must not come back. A busy controller is
# asked again.
requeue() {
  local job state
  job=$(this_job)
  [[ -n $job ]] && command -v scontrol >/dev/null || return 1
  for _ in 1 2 3 4 5; do
    state=$(squeue --noheader --jobs "$job" --format %T 2>/dev/null) || true
    case $state in
      RUNNING | SIGNALING) # the second while a STOP or CONT of somebody's is under way
        log "requeueing job $job"
        ! scontrol requeue "$job" || return 0
        ;;
      ?*)
        log "job $job is $state, so it is not requeued"
        return 1
        ;;
    esac
    sleep 2
  done
  log "SLURM did not requeue job $job (squeue says: ${state:-nothing}); $again"
  return 1
}

# What this task's run has saved, as times and sizes. The runs of other tasks lie beside it.
saved_so_far() {
  local config key="variant" value="\"$name\""
  [[ -z ${SWEEP:-} ]] || key=name value=$name
  for config in "$OUTPUT_ROOT"/*/config.json; do
    grep -qxF "  \"$key\": $value," "$config" || continue
    [[ $seed == default ]] || grep -qxF "  \"seed\": $seed," "$config" || continue
    find "${config%/*}" -name last.safetensors -printf '%p %s %T@\n' -o -name evaluation.jsonl -printf '%p %s\n'
  done 2>/dev/null | sort
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

# What a node does to have the pack on its own disk: the first that comes copies it, others wait for it. Every byte is
# verified on the way, and again when the trainer opens the pack. A copy of which a cleaner of /tmp took files is made anew.
copy_pack() { # PACKER PACK FOLDER ID
  local copy=$3/safe-pack-$4
  local -a codes
  mkdir -p "$3" || return 3
  if [[ ! -O $3 ]]; then
    echo "$3 belongs to another user; name another folder in STAGE" >&2
    return 3
  fi
  exec 9>"$3/.copying-$4" # not .safe-pack-ID.lock, which is extract's own
  flock 9
  if [[ -e $copy ]]; then
    ! "$1" --quiet verify --quick "$copy" --expect "$4" >/dev/null 2>&1 || return 0
    echo "$copy has lost files, and is made anew" >&2
    rm -rf "$copy"
  fi
  echo "copying $2 to $copy" >&2
  if [[ ! -d $2 ]]; then
    "$1" --quiet extract "$2" --dest "$copy" --expect "$4" >&2
  else
    "$1" --quiet archive "$2" -o - | "$1" --quiet extract - --dest "$copy" --expect "$4" >&2
    codes=("${PIPESTATUS[@]}")
    [[ ${codes[0]} != 137 ]] || return 137 # for the second the archive is truncated
    return "${codes[1]}"
  fi
}

stage() {
  local packer id folder code=0
  local -a once_a_node=()
  packer=$(find_program safe-packer)
  [[ -n $packer ]] || die 3 "STAGE needs safe-packer beside safe-trainer or in PATH"
  id=$("$packer" list --json "$PACK_ROOT" | sed -n 's/^  "id": "\([0-9a-f]*\)".*/\1/p') || true
  [[ -n $id ]] || die 3 "cannot read the id of $PACK_ROOT; check it: safe-packer verify $PACK_ROOT"
  # shellcheck disable=SC2016 # these very characters
  folder=${STAGE//'$TMPDIR'/${TMPDIR:-/tmp}}/safe-packs-$UID
  [[ ${SLURM_JOB_NUM_NODES:-1} -eq 1 ]] || once_a_node=(srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1
    --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --job-name="$step_name" --overlap --mem=0)
  await "${once_a_node[@]}" bash -c "$(declare -f copy_pack); copy_pack \"\$@\"" \
    copy_pack "$packer" "$PACK_ROOT" "$folder" "$id" || code=$?
  if ((code == 0)); then
    PACK_ROOT=$folder/safe-pack-$id
    pack_id=(--pack-id "$id")
  elif [[ $stopped == 1 ]]; then
    requeue_stopped
    die 75 "stopped while the pack was copied; $again"
  elif ((code == 137)) && requeue_killed; then
    die 75 "safe-packer was killed while it copied the pack; the copy starts again"
  else
    die "$code" "cannot copy $PACK_ROOT to $folder (exit code $code)"
  fi
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
if [[ -n ${SWEEP:-} ]]; then
  for name in VARIANTS SEEDS SEED "${named[@]}"; do
    [[ -z ${!name:-} || $name =~ ^(DATA_ROOT|BASE|AUDIO_ENCODER)$ ]] ||
      die 2 "$name does not change a sweep; put it into $SWEEP, and unset it here"
  done
  [[ -z ${STAGE:-} || -n $pack_is_named ]] || die 2 "STAGE copies one pack for all runs of a sweep; name it in PACK_ROOT"
fi
if [[ ${TRAIN_SOURCE:-pack} == pack && (-z ${SWEEP:-} || -n $pack_is_named) && ! -e $PACK_ROOT ]]; then
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

if [[ -n ${SLURM_JOB_ID:-} ]] && command -v srun >/dev/null; then listen & fi
choose "${runs[0]}"
pack_id=()
[[ -z ${STAGE:-} ]] || stage

failed=()
for line in "${runs[@]}"; do
  choose "$line"
  if [[ $stopped == 1 ]]; then
    requeue_stopped
    die 75 "stopped before $run; $again to go on"
  fi
  code=0
  run_one "$@" || code=$?
  case $stopped-$code in
    *-0) ;;
    *-75)
      requeue_stopped
      die 75 "$run was stopped and has saved; $again to go on"
      ;;
    # 128 + a signal: it came before the trainer listened, or to srun, which then kills its processes
    1-129 | 1-130 | 1-137 | 1-138 | 1-140 | 1-143)
      requeue_stopped
      die 75 "$run was stopped before it could save; $again to go on from its last checkpoint"
      ;;
    *-129 | *-130 | *-138 | *-140 | *-143) die "$code" "$run was interrupted" ;;
    *-137)
      ! requeue_killed || die 75 "$run was killed; it goes on from what it has saved"
      failed+=("$run (killed; out of memory?)")
      ;;
    *) failed+=("$run (exit code $code)") ;;
  esac
done

if ((${#failed[@]} > 0)); then
  summary=$(printf '%s, ' "${failed[@]}")
  die 1 "failed: ${summary%, }"
fi
log "done: ${#runs[@]} $([[ ${#runs[@]} == 1 ]] && echo run || echo runs); in $OUTPUT_ROOT"
log "next: $(printf '%q' "$TRAINER") report $(printf '%q' "$OUTPUT_ROOT")/*"
