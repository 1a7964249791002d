#!/usr/bin/env bash
# test_identity.sh -- what the model hash is made of stays what it is: a run of today can be resumed by every later spnc.
#
# A file of tests/identity is one model.  Its first line has the options of spnc, its second the hash, the rest is the text of `--stage identity`.
# usage: tests/test_identity.sh [--add]      --add writes files for models that have none.  Nothing writes one anew: it is a promise, not a golden file.
. "$(dirname "$0")/begin.sh"
cd "$root" || exit 1
hash_of() { sed -n 's/^const char net_hash\[\] = "\([0-9a-f]*\)".*/\1/p' "$1"; }
# one of FILE MODEL OPTIONS...: the text of a file
text_of() {
    local name=$1
    shift
    "$SPNC" emit "$@" --tuning none --force -o "$work/$name" >/dev/null && printf '%s\n' "$*" && hash_of "$work/$name"/*-train.c && "$SPNC" check "$@" --stage identity
}

if [ "${1:-}" = --add ]; then
    add() {
        local name=$1
        shift
        [ -e "tests/identity/$name" ] || text_of "$name" "$@" >"tests/identity/$name" || exit 1
    }
    for d in 1 2 3 4; do
        add "rnn_spn-d$d" models/rnn_spn.yaml --set "d=$d"
        add "ffn_spn-d$d" models/ffn_spn.yaml --set "d=$d"
    done
    for model in models/*.yaml tests/golden/*.yaml; do
        name=$(basename "$model" .yaml)
        case $name in rnn_spn | ffn_spn) ;; *) add "$name" "$model" ;; esac
    done
    add dropout models/rnn_spn.yaml --set dropout=0.2 --batch 37
    add plain models/tiny.yaml --plain
    add double models/tiny.yaml --precision double
fi

count=0
for file in tests/identity/*; do
    read -ra options <"$file"
    text_of "$(basename "$file")" "${options[@]}" >"$work/text" 2>&1
    if ! cmp -s "$file" "$work/text"; then
        fault "the identity of ${options[*]} has changed, so that its runs can no longer be resumed:"
        diff "$file" "$work/text" | head -10 >&2
    fi
    count=$((count + 1))
done
[ $count -ge 20 ] || fault "only $count models in tests/identity"
# the text is what the hash is made of: FNV-1a of the parameters' names and shapes, then of the text
python3 - tests/identity/* <<'PYTHON' || fault "the text of --stage identity is not what was hashed"
import re, sys
def checksum(h, text):
    for c in text:
        h = (h ^ c) * 0x100000001b3 % 2**64
    return h
wrong = []
for path in sys.argv[1:]:
    options, said, text = open(path, "rb").read().split(b"\n", 2)
    names = b"".join(b"%s %s;" % m.groups() for m in re.finditer(rb"^weight (\S+) (\S+) ", text, re.M))
    if b"%016x" % checksum(checksum(0xcbf29ce484222325, names), text) != said:
        wrong.append(path)
sys.exit(" ".join(wrong) or 0)
PYTHON
# what decides no bit is no part of it
for options in "--target generic" "--target avx2"; do
    # shellcheck disable=SC2086
    "$SPNC" check models/tiny.yaml $options --stage identity | cmp -s - <("$SPNC" check models/tiny.yaml --target avx512 --stage identity) || fault "$options changes the identity"
done
# what decides bits is
for options in "--batch 7" "--precision double" "--plain" "--set d=4"; do
    # shellcheck disable=SC2086
    ! "$SPNC" check models/tiny.yaml $options --stage identity | cmp -s - <("$SPNC" check models/tiny.yaml --stage identity) || fault "$options leaves the identity as it is"
done
exit $failed
