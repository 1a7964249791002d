#!/usr/bin/env bash
# test_read.sh -- what a reader of the emitted C may ask for, in both forms of every model and every net of the oracle: a comment stands for itself, a
# row of a table names its numbers, an algorithm is explained once, and no loop or block is left that does nothing.
# SPNC: the spnc to test (default build/spnc)
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1

# A comment's first words that lean on what stands above it; a row with two bare numbers beside each other; a call of a draw by bare numbers;
# a loop of at most one turn, a name for a loop's variable.
leans='^ *\/\* (And|Or|But|Likewise|Also|The same|Of th|[A-Za-z]+ of these)\b'
bare='^    \{ .*, -?[0-9][0-9.e+-]*, -?[0-9]'
drawn='\b(dropout|draw)_at\(batch, *[^( ]'
idle='for \(int ([a-z][a-z0-9]*) = [0-9a-z]+; (present && )?\1 < 1; |[{;] *int [a-z]+ = t;|^ *int [a-z]+ = t;'
# found PATTERN FILE: the lines that match, braces within a row left out
found() { sed -E 's/([.a-z_]+ = )\{[^{}]*\}/\1{}/g' "$2" | grep -nE "$1"; }

cat >odd.c <<'END'
/* And to its weight. */
    { "w", 4, { 20, 1 }, 0, 180 },
    { "w", .shape = { 20, 1 }, .count = 3, .x = -4 },
    f(x, dropout_at(batch, 0.5, 0, 1, t, g));
    f(x, dropout_at(batch, (DropoutUse){ .rate = 0.5 }));
        for (int i = 0; present && i < 1; i++) {
        int from = t;
        int s = t * G + g;
END
for expected in "leans 1" "bare 2" "drawn 4" "idle 6,7"; do
    pattern=${expected% *}
    lines=$(found "${!pattern}" odd.c | cut -d: -f1 | paste -sd, -)
    [ "$lines" = "${expected#* }" ] || fault "$pattern: finds lines '$lines' of the sample, not '${expected#* }'"
done

for model in "$root"/models/*.yaml "$root"/tests/oracle/nets/*.yaml; do
    name=$(sed -n 's/^model: *\([A-Za-z_0-9]*\).*/\1/p' "$model")
    for form in "" --plain; do
        # shellcheck disable=SC2086
        "$SPNC" emit "$model" -o emitted --target avx512 $form >said 2>&1 || { fault "$name $form: $(head -3 said)"; continue; }
        for file in emitted/"$name".c emitted/"${name}"_inspect.c; do
            for pattern in leans bare drawn idle; do
                found "${!pattern}" "$file" >lines && fault "$name $form: ${file#*/}: $pattern: $(head -3 lines)"
            done
        done
        count=$(grep -c "position by position: at each one a product of matrices" emitted/"$name".c)
        algorithm=$(tr -s '\n *' ' ' <emitted/"$name".c | grep -o "by Winograd's algorithm (explained" | wc -l)
        [ "$count" = $((algorithm > 0)) ] || fault "$name $form: Winograd's algorithm is explained $count times, for $algorithm convolutions"
        rm -r emitted
    done
done
exit $failed
