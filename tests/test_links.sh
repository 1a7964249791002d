#!/usr/bin/env bash
# test_links.sh -- what a library calls: of each model, in both forms, memcpy, memset, memmove and functions of libm, and it exports three names.
# usage: tests/test_links.sh [all]      one model, since other tests look at nets of their own; all: every model.  SPNC names the compiler
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
models=lstm_rows
[ "${1:-}" = all ] && models=$(cd "$root/models" && ls *.yaml | sed 's/\.yaml$//')
allowed='_GLOBAL_OFFSET_TABLE_|memcpy|memset|memmove|fmaf?|floorf?|ceilf?|sqrtf?|fabsf?|copysignf?|rintf?|truncf?|ldexpf?'
for model in $models; do
    outputs=()
    [ $model = vae ] && outputs=(--outputs mu,logits)           # its `sample` is drawn, which a library does not do
    for form in lanes latency; do
        run "$SPNC" emit "$root/models/$model.yaml" --for inference --form $form --batch 1 "${outputs[@]}" -o "$model$form" || continue
        name=$(sed -n 's/^model: *\([a-z_0-9]*\).*/\1/p' "$root/models/$model.yaml")
        run make -s -C "$model$form" lib$name.a CFLAGS=-O0
        nm -u "$model$form/lib$name.a" | awk 'NF == 2 { print $2 }' | grep -vxE "$allowed" && fault "$model, $form: it needs these"
        [ "$(nm -g --defined-only "$model$form/lib$name.a" | awk 'NF == 3 { printf "%s ", $3 }')" = "${name}_error ${name}_open ${name}_run " ] || fault "$model, $form: it exports $(nm -g --defined-only "$model$form/lib$name.a")"
    done
done
exit $failed
