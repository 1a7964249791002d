#!/usr/bin/env bash
# test.sh -- builds everything with its tests and runs them from the root of the checkout; Criterion's closing line comes last.
# usage: .ci/test.sh            shell tests, answers of the oracle, Criterion
#        .ci/test.sh oracle     the oracle alone, with PyTorch (installed if need be): expectations, the nine nets and the others, 20 steps of each optimiser,
#                               and the ONNX files of models/ with onnxruntime (likewise)
#        .ci/test.sh asan       Criterion and the generated programs under the sanitizers, in build/asan
# Exit codes: 0 all passed, 1 a test failed or could not be built, 2 wrong usage.
set -u
cd "$(dirname "$0")/.." || exit 1
failures=$(mktemp)              # the name of each test that failed, a line each
trap 'rm -f "$failures"' EXIT
. tests/environment.sh
export XDG_CACHE_HOME=$PWD/build/cache                 # the trainer's objects, compiled once for all tests

# run NAME COMMAND...: what it prints is shown when it fails.  Seconds by the clock, and of processors by user and system.
run() {
    local name=$1 start=$SECONDS spent=$failures.$BASHPID output TIMEFORMAT='%0U + %0S'
    shift
    if { time output=$("$@" 2>&1); } 2>"$spent"; then
        echo "test: $name: passed ($((SECONDS - start)) s, of processors $(tail -1 "$spent") s)"
    else
        printf '%s\n' "$output" "test: $name: FAILED"
        echo "$name" >>"$failures"
    fi
    rm -f "$spent"
}

# at_once NAME COMMAND...: run beside others, one more than there are processors, since some wait at times; `wait` waits for the rest.
at_once() {
    while [ "$(jobs -pr | wc -l)" -gt "$(nproc)" ]; do wait -n; done
    run "$@" &
}

configure() {                   # configure FOLDER options...
    local build=$1
    shift
    cmake -S . -B "$build" -DTESTS=ON "$@" >"$build.log" 2>&1 && cmake --build "$build" -j "$(nproc)" >>"$build.log" 2>&1 ||
        { tail -40 "$build.log"; echo "test: $build cannot be built"; exit 1; }
    rm -f "$build.log"
    export SPNC=$PWD/$build/spnc
}

# Criterion's programs in a build folder; several closing lines are added up in one of the same form.
criterion() {
    local program output=() log
    log=$(mktemp)
    for program in "$1"/tests/*; do
        [[ ${program##*/} = *test* && -f $program && -x $program ]] || continue
        "$program" --jobs "$(nproc)" 2>&1 | sed 's/\x1b\[[0-9;]*m//g' | tee -a "$log" | grep -v Synthesis
        [ "${PIPESTATUS[0]}" = 0 ] || echo "${program##*/}" >>"$failures"
    done
    awk '/Synthesis:/ { for (i = 3; i < NF; i++) if ($i ~ /:$/) sum[$i] += $(i + 1) }
         END { printf "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n",
                      sum["Tested:"], sum["Passing:"], sum["Failing:"], sum["Crashing:"]; exit sum["Tested:"] == 0 }' "$log" >"$log.sum" ||
        echo "no Criterion test ran" >>"$failures"
    closing=$(cat "$log.sum")
    rm -f "$log" "$log.sum"
}

python=$(sh tests/python.sh numpy yaml)
# Every expectation, as many at a time as there are processors.  The bits are those of -O2: small nets compile in a third of its time with -O0; those of
# models/ run too long so.
expectations() {
    local path name level fits failed=0
    for level in -O1 -O0; do
        for path in tests/oracle/expectations/*.json; do
            name=${path##*/}
            [ -f "tests/oracle/nets/${name%.json}.yaml" ] && fits=-O0 || fits=-O1
            [ $level != $fits ] || echo "$path"
        done | CFLAGS=$level xargs -P "$(nproc)" -n 1 "$python" tests/oracle/check_expectations.py --spnc "$SPNC" "$@" || failed=1
    done
    return $failed
}

# The committed sample is what the compiler says now; `make golden` brings it up to date.
sample() {
    local new code
    new=$(mktemp -d)
    "$SPNC" emit models/tiny.yaml --target avx2 --tuning none -o "$new" && diff -u generated/tiny/tiny.c "$new/tiny.c" && diff -u generated/tiny/tiny_inspect.c "$new/tiny_inspect.c"
    code=$?
    rm -rf "$new"
    return $code
}

# Loss, every value and every gradient of a net in double, at jittered weights, against PyTorch in float64.
against_torch() {               # against_torch NAME "--set d=2"
    local folder
    folder=$(mktemp -d)
    # shellcheck disable=SC2086
    "$SPNC" build "models/$1.yaml" $2 --precision double --batch 5 -o "$folder/net" && "$python" tests/oracle/make_data.py "models/$1.yaml" $2 -o "$folder/data" &&
        "$python" tests/oracle/oracle.py compare "models/$1.yaml" $2 --batch 5 --program "$folder/net/$1" --data "$folder/data" --tolerance 1e-9
    local code=$?
    rm -rf "$folder"
    return $code
}

# 20 updates by the net's own optimiser against PyTorch in float64.
twenty_steps() {
    local folder
    folder=$(mktemp -d)
    "$SPNC" build "tests/oracle/nets/$1.yaml" --precision double --batch 6 -o "$folder" &&
        "$python" tests/oracle/oracle.py steps "tests/oracle/nets/$1.yaml" --batch 6 --program "$folder/$1" --tolerance 1e-8
    local code=$?
    rm -rf "$folder"
    return $code
}

closing=
mkdir -p build
case ${1:-all} in
all)
    configure build
    for script in tests/test_*.sh; do at_once "${script##*/}" bash "$script"; done
    at_once golden.sh bash tests/golden.sh
    at_once "generated/tiny" sample
    at_once vec_bits.sh sh tests/vec_bits.sh gcc -O2
    wait
    run oracle expectations
    criterion build ;;
oracle)
    cmake -S . -B build >/dev/null
    export SPNC=$PWD/build/spnc
    run "oracle, fast form" expectations
    run "oracle, plain form" expectations --plain
    if ! "$python" -c 'import torch, numpy, yaml' 2>/dev/null; then       # an environment of its own, from PyPI
        [ -x build/oracle-env/bin/python ] || { python3 -m venv build/oracle-env && build/oracle-env/bin/pip install --quiet torch numpy pyyaml; } || exit 74
        python=build/oracle-env/bin/python
    fi
    for row in conv "ffn_spn d=1" "ffn_spn d=2" "ffn_spn d=3" "ffn_spn d=4" "rnn_spn d=1" "rnn_spn d=2" "rnn_spn d=3" "rnn_spn d=4" two_glimpse mnist autoencoder; do
        read -r name set <<<"$row"
        run "PyTorch: $row" against_torch "$name" "${set:+--set $set}"
    done
    for net in options shared recurrent; do run "20 steps: $net" twenty_steps "$net"; done
    run "20 steps of every optimiser" tests/oracle/steps.sh "$python"
    run test_oracle.py "$python" tests/oracle/test_oracle.py
    onnx=build/onnx-env/bin/python                       # an environment of its own too
    [ -x $onnx ] || { python3 -m venv build/onnx-env && build/onnx-env/bin/pip install --quiet numpy pyyaml onnx onnxruntime; } || exit 74
    run "ONNX files and libraries of models/" $onnx tests/oracle/onnx_files.py ;;
asan)
    configure build/asan -DSANITIZE=ON
    export UBSAN_OPTIONS=print_stacktrace=1 CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
    for model in tests/oracle/nets/*.yaml; do
        name=$(sed -n 's/^model: *\([a-z_0-9]*\).*/\1/p' "$model")
        for form in "" --plain; do
            # shellcheck disable=SC2086
            run "$name $form" sh -c '"$SPNC" build "$1" $3 -o "$2" && "$2/$4" check' - "$model" "build/asan/nets/$name$form" "$form" "$name"
        done
    done
    unset CFLAGS
    # Criterion's own runner leaks, and tests of exits leave memory by design; spnc and the programs above ran with leaks looked for.
    export ASAN_OPTIONS=detect_leaks=0
    criterion build/asan ;;
*)
    echo "usage: .ci/test.sh [oracle|asan]" >&2
    exit 2 ;;
esac

sed 's/^/test: FAILED: /' "$failures"
[ -z "$closing" ] || echo "$closing"
[ ! -s "$failures" ]
