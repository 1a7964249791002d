#!/usr/bin/env bash
# test_bombs.sh -- models made to take time or memory: each is refused with the right words, in 2 s of processor time and 256 MiB of address space
# (that of a quiet machine is a tenth: 100 ms, 64 MiB).  On a slow machine the time is that of 16 emissions of models/rnn_spn.yaml, if these take longer.
# SPNC: the spnc to test (default build/spnc); under the sanitizers only messages and exit code are tested.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
python3 - >list <<'END'
MIB = 1 << 20
HEAD = "model: bomb\ninputs: { x: { shape: [4] } }\ntargets: { y: { shape: [4] } }\n"
TAIL = "loss: { mse: [a, y] }\n"


def full(start, unit, end=""):
    return start + unit * ((MIB - len(start) - len(end)) // len(unit)) + end


def lines(form, n):
    """`form` n times, @ its number and ^ the next."""
    return "".join(form.replace("@", str(i)).replace("^", str(i + 1)) for i in range(n))


one = HEAD + "flow:\n - a: { dense: x, units: %s }\n" + TAIL
in_net = HEAD + "nets:\n n:\n", "flow:\n - a: { n: x }\n" + TAIL
bombs = {
    "aliases": ("a: &a [x, x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi")), "anchors ('&name') are not used"),
    "anchors": (full("", "- &a x\n"), "anchors ('&name') are not used"),
    "tags": (full("", "- !t x\n"), "tags ('!name') are not used"),
    "directives": (full("", "%A b\n"), "YAML directives"),
    "documents": (full("", "--- a\n"), "a second document"),
    "nested lists": ("[" * 100000, "nested more than 64 deep"),
    "nested lists, closed": ("[" * 100000 + "]" * 100000, "nested more than 64 deep"),
    "nested maps": ("{a: " * 100000, "nested more than 64 deep"),
    "nested lines": ("\n".join(" " * i + "a:" for i in range(1400)), "nested more than 64 deep"),
    "nested dashes": ("- " * 100000 + "x", "nested more than 64 deep"),
    "nested questions": ("? " * 100000, "nested more than 64 deep"),
    "nested parentheses": (HEAD + "batch: " + "(" * 400000 + "1" + ")" * 400000 + "\n", "nested more than 64 deep"),
    "signs": (HEAD + "batch: " + "-" * 900000 + "1\n", "nested more than 64 deep"),
    "sum": (HEAD + "batch: 1" + "+1" * 400000 + "\n", "'batch' must be between 1 and 65536, not 400001"),
    "NUL": ("\0" * 1000000, "NUL byte"),
    "NUL at the end": (full(HEAD, "# x\n", "\0"), "NUL byte"),
    "not UTF-8": (full(HEAD, "# x\n", "\xff"), "the byte 0xff is not UTF-8"),
    "64 MiB": ("x" * (64 * MIB), "larger than 1 MiB"),
    "long word": (full(HEAD + "about: ", "x", "\n"), "a model needs a flow"),
    "long words": (full(HEAD + "about: ", "x ", "\n"), "a model needs a flow"),
    "long quote": (full(HEAD + "about: \"", "x"), "the quote opened here is never closed"),
    "long name": (full("model: ", "x", "\n"), "a name has at most 40 characters"),
    "long key": (full(HEAD, "k", ": 1\n"), "no ':' after its key"),
    "colons": (full(HEAD + "a", ":"), "no ':' after its key"),
    "commas": (full("[", ",", "]"), "a value is missing here"),
    "long list": (full("[", "1,"), "a value is missing here"),
    "list": (full("[", "1,", "]"), "a model must be a map"),
    "comments": (full(HEAD, "#\n"), "a model needs a flow"),
    "spaces": (full("model:", " ", "x"), "a model needs inputs"),
    "keys": (HEAD + lines("k@: 1\n", 90000), "unknown key 'k0'"),
    "one key again": (full("", "k: 1\n"), "the key 'k' is given twice"),
    "parameters": (HEAD + "params:\n p0: 1\n" + lines(" p^: $p@ + 1\n", 40000), "a model has at most 256 parameters"),
    "nets": (HEAD + "nets:\n" + lines(" n@: [relu]\n", 60000), "a model has at most 256 nets"),
    "nets of nets": (HEAD + "nets:\n n0: [relu]\n" + lines(" n^: [n@, n@]\n", 40) + "flow:\n - a: { n40: x }\n" + TAIL, "stands in more than 32 nets"),
    "layers": (full(in_net[0], "  - relu\n", in_net[1]), "more than 1024 operators"),
    "unknown layers": (full(in_net[0], "  - relo\n", in_net[1]), "no operator or net is called 'relo'"),
    "entries": (HEAD + "flow:\n - a: { relu: x }\n" + lines(" - a@: { relu: x }\n", 40000) + TAIL, "more than 1024 operators"),
    "wrong entries": (HEAD + "flow:\n" + lines(" - a@: { relu: z }\n", 45000) + TAIL, "no value is called 'z'"),
    "repeats": (HEAD + "flow:\n" + lines(" - repeat: 4096\n   do:\n    - a@: { dense: x, units: 4 }\n", 12000) + TAIL, "more than 1024 operators"),
    "inputs of one": (HEAD + "flow:\n - a: { concat: [" + "x," * 400000 + "x] }\n" + TAIL, "an operator takes at most 30 inputs"),
    "losses": (HEAD + "flow:\n - a: { relu: x }\nloss:\n" + " - { mse: [a, y] }\n" * 50000, "a model has at most 64 losses"),
    "steps": (HEAD + "flow:\n - repeat: 999999999\n   do:\n    - a: { relu: x }\n" + TAIL, "'repeat' must be between 1 and 4096"),
    "digits": (HEAD + "batch: " + "9" * 1000000 + "\n", "beyond 2^53"),
    "units": (one % "99999999999999999999", "beyond 2^53"),
    "many units": (one % "2147483647", "'units' must be between 1 and 1048576"),
    "exponent": (one % "1e308", "'units' must be between 1 and 1048576, not 1e+308"),
    "elements": ("model: bomb\ninputs: { x: { shape: [100000, 100000, 100000] } }\n", "has more than 33554432 elements"),
    "dimensions": ("model: bomb\ninputs: { x: { shape: [" + "1, " * 300000 + "1] } }\n", "must be a list of 1 to 6 numbers"),
}
for i, (name, (text, says)) in enumerate(bombs.items()):
    with open(f"{i}.yaml", "wb") as f:
        f.write(text.encode("latin-1"))
    print(i, name, says, sep="\t")
END
# processor seconds of an emission, in milliseconds
emission() { local TIMEFORMAT='%U %S'; { time "$SPNC" emit "$root/models/rnn_spn.yaml" --target avx2 --tuning none --force -o emitted >said 2>&1; } 2>&1 | awk '{ print int(1000 * ($1 + $2)) }'; }
seconds=$(printf '%s\n' "$(emission)" "$(emission)" "$(emission)" | awk '16 * $1 / 1000 > most { most = 16 * $1 / 1000 } END { print (most > 2 ? int(most) + 1 : 2) }')
limits="ulimit -t $seconds; ulimit -v 262144;"
! nm "$SPNC" 2>/dev/null | grep -q __asan_init || limits=
count=0
while IFS=$'\t' read -r i name says; do
    bash -c "$limits exec \"\$1\" check \"\$2\"" - "$SPNC" "$i.yaml" >/dev/null 2>said
    code=$?
    count=$((count + 1))
    [ $code = 1 ] && grep -qF -e "$says" said && [ "$(wc -c <said)" -lt 65536 ] && continue
    echo "test_bombs: $name: exit code $code, expected 1 and '$says': $(head -c 300 said)"
    failed=$((failed + 1))
done <list
echo "test_bombs: $count bombs, $seconds s each, $failed not as they should be"
[ $count -gt 40 ] && [ $failed = 0 ]
