#!/usr/bin/env bash
# test_tidy.sh -- loops of one turn, factors of one, terms of 0 and variables that are numbers are left out of random C (tests/tidy.py), and the program
# prints the same as before; most of the loops that have one turn are gone.
# usage: tests/test_tidy.sh [COUNT [SEED]]     20 programs from seed 1, if not given
. "$(dirname "$0")/begin.sh"
python=$(sh "$root/tests/python.sh" os)
cd "$work" || exit 1
emit=$root/compiler/emit
cc -std=c11 -O1 -Wall -Wextra -I"$root/compiler" -I"$root/trainer" -I"$root/runtime" "$root/tests/tidy.c" "$emit/tidy.c" "$emit/turns.c" "$emit/constants.c" \
    "$emit/ones.c" "$emit/index.c" "$emit/declared.c" "$emit/code.c" "$emit/wrap.c" "$root/compiler/base/arena.c" -o tidy || { echo "test_tidy: does not compile"; exit 1; }
one='for \(int ([a-z0-9]+) = ([013]|L); \1 < [12346L *]+; \1 \+= ([123]|L|2 \* L)[,)]'
before=0 after=0
for ((seed = ${2:-1}; seed < ${2:-1} + ${1:-20}; seed++)); do
    "$python" "$root/tests/tidy.py" "$seed" >whole.c && ./tidy <whole.c >tidied.c || { fault "seed $seed"; continue; }
    for c in whole tidied; do
        cc -std=gnu11 -w -O0 -fwrapv -ffp-contract=off "$c.c" -lm -o "$c" 2>"$c.said" || fault "seed $seed: $c does not compile: $(head -2 "$c.said")"
        "./$c" >"$c.out" || fault "seed $seed: $c: exit code $?"
    done
    cmp -s whole.out tidied.out || fault "seed $seed: the program means something else: $(diff whole.out tidied.out | head -2)"
    before=$((before + $(grep -cE "$one" whole.c))) after=$((after + $(grep -cE "$one" tidied.c)))
done
echo "of $before loops in ${1:-20} programs $after are left"
[ "$after" -lt $((before * 2 / 3)) ] || fault "$after of $before loops are left"
exit $failed
