#!/usr/bin/env bash
# test_pages.sh -- the models in docs: each compiles.
# A listing of YAML that begins with `model:` is a model; one that begins with a comment that is a path, as `# parts/blocks.yaml`, is that file.
# usage: tests/test_pages.sh; SPNC names the compiler (default build/spnc).  Prints what failed and exits 1.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 1
for page in language; do
    mkdir $page && awk -v folder=$page '
        /^```/ { if (out) close(out); open = !open && $0 == "```yaml"; out = ""; next }
        open && !out { out = folder "/" ($0 ~ /^# [a-z0-9_\/]+\.yaml$/ ? substr($0, 3) : $0 ~ /^model: / ? $2 ".yaml" : "rest")
                       path = out; sub(/\/[^\/]*$/, "", path); system("mkdir -p " path) }
        open { print >out }' "$root/docs/$page.md"
    models=$(grep -l '^model: ' $page/*.yaml)
    [ "$(wc -w <<<"$models")" -ge 3 ] || fault "docs/$page.md has $(wc -w <<<"$models") models"
    for model in $models; do
        said=$("$SPNC" check "$model" 2>&1) || fault "docs/$page.md, $model: $said"
    done
done
[ $failed = 0 ] && echo "test_pages: fine"
exit $failed
