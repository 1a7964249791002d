#!/usr/bin/env bash
# test_emitted.sh -- the C of every model, both forms and precisions: no loop of one turn, no warning from any compiler, with strict flags; and of nets
# with every operator: clean under the sanitizers, the same bits from memory that starts as NaN, gradients that central differences confirm.
# SPNC: the spnc to test (default build/spnc).  A compiler that is not there is skipped, with a message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
run() { "$@" >"$work/output" 2>&1 || { fault "failed: $*"; head -20 "$work/output" >&2; return 1; }; }
name_of() { sed -n 's/^model: *\([A-Za-z_0-9]*\).*/\1/p' "$1"; }

# ---- no warnings: every net is checked without code; what only an optimiser sees comes below, with -O2 -----------------
strict="-Wall -Wextra -Wpedantic -Wshadow -Werror"
cat >stack.yaml <<'END'
model: stack
batch: 32768
inputs: { image: { shape: [1, 400, 12] } }
targets: { y: { length: 64, classes: 3 } }
flow:
  - tall: { conv: image, filters: 4, kernel: [300, 5] }
  - flat: { dense: tall, units: 8 }
  - repeat: 64
    carry: { h: { shape: [8] } }
    do:
      - h: { add: [flat, h] }
      - f: { dense: h, units: 64, act: relu }
      - o: { dense: f, units: 3 }
loss: { cross_entropy: [o, y] }
END
: >jobs.txt
# job COMPILER "OPTIONS" FILE: a compilation for later, once for each content of the file.  What takes longest to read, the compiler's own immintrin.h, is
# read ahead for each set of options.
declare -A queued=() ahead=()
headers=0
job() {
    local compiler=$1 options=$2 file=$3 same header
    same="$compiler $options $(grep -v '^ \*\|^/\*' "$file" | md5sum)"
    [ -z "${queued[$same]:-}" ] || return 0
    queued[$same]=1
    if [ -z "${ahead[$compiler $options]:-}" ]; then
        header=ahead$((headers++)).h
        case $options in *-mavx*) echo '#include <immintrin.h>' ;; esac >"$header"
        # shellcheck disable=SC2086
        run $compiler $options -x c-header "$header" -o "$header.$([ "$compiler" = gcc ] && echo gch || echo pch)" || return
        ahead[$compiler $options]=$header
    fi
    echo "$compiler $options -fsyntax-only -include ${ahead[$compiler $options]} -I${file%/*}/runtime $file" >>jobs.txt
}
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
    for model in "$root"/models/*.yaml "$root"/tests/oracle/nets/*.yaml; do
        name=$(name_of "$model")
        # The forms differ in every function, the precisions in a few constants: each is seen once.
        for options in "--precision float" "--precision double --plain"; do
            [ $compiler = gcc ] || [ "$options" = "--precision float" ] || continue
            out=emitted/${options// /}                          # one folder has all nets, beside one runtime
            # shellcheck disable=SC2086
            [ -f "$out/$name.make" ] || { run "$SPNC" emit "$model" -o "$out" $options && mv "$out/Makefile" "$out/$name.make"; } || continue
            flags=$(sed -n 's/^FLAGS = //p' "$out/$name.make")
            halves=$(sed -n 's/^\t.* \(-DHALF=[12]\) .*/\1/p' "$out/$name.make")
            for part in ${halves:--UHALF}; do job $compiler "$flags $strict -O0 $part" "$out/$name.c"; done
            job $compiler "$flags $strict -O0" "$out/$name-train.c"
        done
    done
    # generic and avx2 take other paths through vec.h; the runtime is the same for all nets, and what does not look at the target is seen below, with -O2
    for target in generic avx2; do
        out=emitted/recurrent-$target
        [ -d "$out" ] || run "$SPNC" emit "$root/tests/oracle/nets/recurrent.yaml" -o "$out" --target $target || continue
        flags=$(sed -n "s/^FLAGS = //p" "$out/Makefile" | sed "s/\$(PROCESSOR)//")
        for file in "$out"/recurrent.c "$out"/recurrent-train.c $(cd "$out" && find "$PWD/runtime" "$PWD/trainer" -name "*.c"); do
            [ $target = generic ] || [ "${file%/*}" = "$out" ] || continue
            [ $compiler = clang ] || [ "${file%/*}" = "$out" ] || grep -q '"vec\.h"\|SPN_\(AVX\|GENERIC\)' "$file" || [ "${file/\/runtime\//}" != "$file" ] || continue
            [ $compiler = gcc ] && level=-O1 || level="-O0 -fsyntax-only"           # clang warns without optimising
            echo "$compiler $flags $strict $level -I$out/runtime -I$out/trainer -c -o /dev/null $file" >>jobs.txt
        done
    done
    # arrays on the stack do not grow with the model: a large batch of many steps, a tall kernel over blocks of rows, Winograd's and OpenBLAS's sums
    for precision in float double; do
        out=emitted/stack-$precision
        [ -d "$out" ] || run "$SPNC" emit stack.yaml -o "$out" --precision $precision || continue
        flags=$(sed -n "s/^FLAGS = //p" "$out/Makefile" | sed "s/\$(PROCESSOR)//")
        echo "$compiler $flags -O1 -Wframe-larger-than=400000 -Werror -I$out/runtime -c -o /dev/null $out/stack.c" >>jobs.txt
    done
done
xargs -P 2 -I{} sh -c '{} 2>&1 || echo "FAILED: {}"' <jobs.txt >warnings.txt
grep -q . warnings.txt && { fault "warnings:"; head -40 warnings.txt >&2; }
count=$(wc -l <jobs.txt) models=$(ls "$root"/models/*.yaml "$root"/tests/oracle/nets/*.yaml | wc -l)
[ "$count" -ge $((2 * models)) ] || fault "$count compilations of $models models"
echo "$count compilations without a warning"

# ---- no loop of one turn: `for (int c = 0; c < 1; c++)`, `for (int m = 22; m < 32; m += 10)` ---------------------------------------
# turns FILES: the heads of such loops, L being 16.  Bounds and steps that are names are not looked at.
turns() {
    awk '
        function number(text,   factors, n, i, value) {
            value = 1
            n = split(text, factors, " [*] ")
            for (i = 1; i <= n; i++)
                value *= factors[i] == "L" ? 16 : factors[i]
            return value
        }
        match($0, /for \(int [a-z_0-9]+ = [0-9]+; [a-z_0-9]+ < [0-9L *]+; [a-z_0-9]+(\+\+| \+= [0-9L *]+)/) {
            looked++
            head = substr($0, RSTART, RLENGTH)
            split(head, part, /; /)
            from = part[1]; sub(/.* = /, "", from)
            to = part[2]; sub(/.* < /, "", to)
            step = part[3] ~ /\+\+$/ ? 1 : part[3]; sub(/.* \+= /, "", step)
            if (from + number(step) >= number(to))
                print FILENAME ":" FNR ": " head
        }
        END { if (looked < 1000) print "only " looked " loops are there" }' "$@"
}
for model in "$root"/bench/models/*.yaml; do
    run "$SPNC" emit "$model" -o emitted/bench && run "$SPNC" emit "$model" -o emitted/bench-plain --plain
done
for d in 1 3; do run "$SPNC" emit "$root/models/rnn_spn.yaml" --set d=$d -o emitted/d$d; done
for target in avx2 generic; do
    for model in rnn_spn resnet20 unet depthwise; do run "$SPNC" emit "$root/models/$model.yaml" --target $target -o emitted/$target; done
done
run "$SPNC" emit "$root/models/conv.yaml" --for inference --weights none -o emitted/library
turns emitted/*/*.c >turns.txt
[ -s turns.txt ] && { fault "$(wc -l <turns.txt) loops of one turn:"; head -20 turns.txt >&2; }
rm -rf emitted

# ---- a net with every operator ----------------------------------------------------------------------------------------------
cat >all.yaml <<'END'
model: all
batch: 20
inputs: { image: { shape: [2, 13, 11], dtype: u8 }, extra: { shape: [5] } }
targets: { digits: { length: 3, classes: 4 }, number: { shape: [3] } }
nets:
  look:
    - conv: { filters: 9, kernel: [3, 2], stride: [2, 1], padding: [1, 0], act: tanh }
    - conv: { filters: 10, kernel: 3, act: relu }
    - maxpool: { size: 3, stride: 2 }
    - dropout: 0.2
  wide:
    - conv: { filters: 8, kernel: 3, padding: 1 }
    - conv: { filters: 16, kernel: 3, act: relu }
    - maxpool: { size: [2, 3] }
    - dropout: 0.2
    - dropout: { rate: 0.1, name: again }
    - flatten
    - dense: { units: 12, act: tanh }
    - dropout: 0.3
    - dense: { units: 9, act: relu }
    - dropout: { rate: 0.25, over: channels }
    - sigmoid
    - dense: { units: 7, act: sigmoid }
  judge:                        # used twice: its products wait behind one phase of groups, and the second adds to the first
    - dense: { units: 5, act: tanh }
    - dense: 3
flow:
  - a: { look: image }
  - w: { wide: image }
  - repeat: 3
    carry: { h: { gru: { units: 7, init: trained, bias_hh: true } }, s: { shape: [2, 3], init: zeros } }
    do:
      - fixed: { dense: w, units: 4, act: sigmoid }
      - x: { concat: [fixed, h, extra] }
      - h: { gru: [x, h] }
      - step: { dense: h, units: 6, act: tanh }
      - move: { reshape: step, shape: [2, 3] }
      - s: { add: [s, move] }
      - A: { dense: s, units: 6, init: identity_affine }
      - near: { spn: [image, A], downsample: 2, border: zero }
      - far: { spn: [image, A], size: [5, 4], border: clamp }
      - old: { spn: [image, A], size: 4, border: legacy }
      - part: { slice: far, axis: 2, from: 1, to: 4 }
      - row: { slice: part, axis: 1, index: 2 }
      - flat: { flatten: row }
      - older: { dense: old, units: 4, act: relu }
      - nearer: { dense: near, units: 5, act: relu }
      - seen: { concat: [flat, older, nearer] }
      - digit: { dense: seen, units: 4 }
  - end: { last: s }
  - first: { slice: h, index: 0 }
  - twice: { multiply: [end, end] }
  - thin: { dropout: first, rate: 0.4 }
  - guess: { dense: twice, units: 3 }
  - other: { dense: thin, units: 3 }
  - square: { multiply: [a, a] }
  - judged: { judge: a }
  - again: { judge: square }
  - all_a: { add: [judged, again] }
loss:
  - { cross_entropy: [digit, digits], epsilon: 1e-3 }
  - { mse: [guess, number], weight: 0.5 }
  - { mse: [other, all_a], weight: 0.25 }
train:
  optimiser: { adam: { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } }
  epochs: 1
END

# ---- data: 24 examples, so that a second batch is a partial one -------------------------------------------------------------------
# floats N SEED: from 1 to 2: three random bytes below an exponent
floats() { printf "$(awk -v n="$1" -v seed="$2" "$random"'BEGIN { start(seed); for (i = 0; i < n; i++) printf "\\%03o\\%03o\\%03o\\077", int(256 * draw()), int(256 * draw()), 128 + int(128 * draw()) }')"; }
mkdir data
bytes $((24 * 286)) 1 256 | npy '|u1' '24, 2, 13, 11' >data/test_image.npy
bytes 72 2 4 | npy '|u1' '24, 3' >data/test_digits.npy
floats 120 3 | npy '<f4' '24, 5' >data/test_extra.npy
floats 72 4 | npy '<f4' '24, 3' >data/test_number.npy
for d in data/test_*; do cp "$d" "${d/test_/train_}"; cp "$d" "${d/test_/valid_}"; done

# program FOLDER "OPTIONS of spnc" CFLAGS: the net anew; the runtime only if the folder is new, so that forms and batches share it
program() {
    # shellcheck disable=SC2086
    run "$SPNC" emit all.yaml -o "$1" $2 && rm -f "$1"/all "$1"/all*.o && run make -s -j2 -C "$1" CC="${CC:-cc}" CFLAGS="$3"
}
# gradients NAME OUT.npz: both batches, with dropout
gradients() {
    local first
    for first in 0 20; do
        run "$1/all" grad --weights start.npz --data data --split test --first $first --mode train --threads 2 -o "$2$first.npz"
    done
}
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
for form in "" --plain; do
    program normal "$form" "-O2 $strict" || continue
    # A dropout is in the place of its operand if backward needs only the operand's signs: not of a tanh.  A pool drops what it
    # stores; the gradient of a relu only scales what comes from a dropout.
    while read -r layer how; do
        [ -z "$form" ] || how=apart
        case $how in
        joined) grep -q "^\(static \)\?void ${layer%_*}_maxpool1_forward(.*Dropout drop)" normal/all.c && ! grep -q "${layer}_forward" normal/all.c ;;
        over) grep -q "[*]$layer;.*in the place of wide_" normal/all.c && grep -q "^\(static \)\?void wide_dense2_relu_backward(.*Dropout drop)" normal/all.c ;;
        apart) grep -q "^\(static \)\?void ${layer}_forward(.*Dropout d" normal/all.c && ! grep -q "[*]$layer;.*in the place of" normal/all.c && grep -q "[*]$layer;" normal/all.c ;;
        esac || fault "$layer, ${form:-fast}: not $how"
    done <<<$'look_dropout1 joined\nwide_dropout1 joined\nwide_again over\nwide_dropout3 apart\nwide_dropout4 over'
    grep -A2 "^\(static \)\?void look_maxpool1_backward(" normal/all.c | grep -q "Dropout drop)" && scaled=1 || scaled=0      # its head may take two lines
    [ "$form" = --plain ] || [ $scaled = 1 ] || fault "the gradient of look_maxpool1 draws look_dropout1's mask again"
    run normal/all export -o start.npz
    gradients normal normal
    program normal "$form" "-O1 -DSPN_POISON" && gradients normal poison
    for first in 0 20; do
        cmp -s normal$first.npz poison$first.npz && echo "same bits from poisoned memory: first $first $form" ||
            fault "poisoned memory gives other bits: first $first $form"
    done
    for batch in 3 20; do
        program sanitized "$form --batch $batch" "-O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined" || continue
        gradients sanitized sanitized
        run sanitized/all train --data data --run "run$form$batch" --threads 2
        run sanitized/all eval --data data --run "run$form$batch"
        echo "sanitizers found nothing: batch $batch $form"
    done
    # shellcheck disable=SC2086
    run "$SPNC" build all.yaml --precision double $form -o double && run double/all check && echo "gradients confirmed: ${form:---fast}"
done
exit $failed
