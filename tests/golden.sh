#!/bin/sh
# The C that tiny models become, and what each stage leaves of one of them, held against tests/golden.
#   tests/golden.sh            prints what has changed; exit 1 if anything has
#   tests/golden.sh --update   writes the files anew
# SPNC names the compiler (build/spnc without it).  The target is fixed, so that every machine gives the same text.
. "$(dirname "$0")/environment.sh"
set -eu
cd "$(dirname "$0")/.."
spnc=${SPNC:-build/spnc}
golden=tests/golden
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

emit() {        # MODEL SUFFIX OPTIONS...
    model=$1 suffix=$2
    shift 2
    "$spnc" emit "$golden/$model.yaml" -o "$new/folder" "$@"
    mv "$new/folder/$model.c" "$new/$model$suffix.c"
    [ "$model" != recurrent ] || mv "$new/folder/${model}_inspect.c" "$new/${model}_inspect$suffix.c"
}

for model in dense conv recurrent joints; do
    emit "$model" "" --target avx2
    mv "$new/folder/$model-train.c" "$new"
done
emit dense .plain --plain --target generic
emit recurrent .plain --plain --target generic --precision double
cp "$new/folder/Makefile" "$new/Makefile"
rm -r "$new/folder"
# each stage that can be printed; the identities of models are in tests/identity
for stage in $("$spnc" words | awk -F '\t' '$1 == "--stage" { print $3 }'); do
    [ "$stage" != identity ] || continue
    "$spnc" check "$golden/recurrent.yaml" --target avx2 --stage "$stage" > "$new/recurrent.$stage"
done

if [ "${1:-}" = --update ]; then
    find "$golden" -type f ! -name '*.yaml' -delete
    cp "$new"/* "$golden"
    exit
fi
cp "$golden"/*.yaml "$new"
if ! diff -ru "$golden" "$new"; then
    echo "tests/golden.sh: the compiler's output has changed; tests/golden.sh --update writes it down" >&2
    exit 1
fi
