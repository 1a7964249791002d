#!/usr/bin/env bash
# test_headers.sh -- a value may have any name that the headers of the emitted C use: types, macros, functions.  The names come from the preprocessed
# headers, so a new header of a compiler or of the runtime is tested too.  A library has none of the names of its own files.
# SPNC: the spnc to test (default build/spnc).  A compiler that is not there is skipped, with a message.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
model() {                                       # model NAME...: a value of each name
    local before=zz_dense name
    printf 'model: names\ninputs: { zz_in: { shape: [4] } }\ntargets: { zz_out: { shape: [4] } }\nflow:\n  - zz_dense: { dense: zz_in, units: 4 }\n'
    for name; do echo "  - $name: { tanh: $before }"; before=$name; done
    echo "loss: { mse: [$before, zz_out] }"
}
model >names.yaml
"$SPNC" emit names.yaml -o first --force >output 2>&1 || { cat output; exit 1; }
{ grep -h '^#include <' first/names.c; for header in first/runtime/*.h; do case $header in */gemm.h | *_body.h) ;; *) echo "#include \"${header##*/}\"" ;; esac; done; } | sort -u >headers.c
: >identifiers
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
    compilers="${compilers:-} $compiler"
    flags="$(sed -n 's/^FLAGS = //p' first/Makefile | sed 's/$(PROCESSOR)//') -Ifirst/runtime -E"
    $compiler $flags -dM headers.c | sed -n 's/^#define \([A-Za-z][A-Za-z_0-9]*\) .*/\1/p' >>identifiers
    # what the emitted C appends to a value's name, and all others that stand alone in one C file
    $compiler $flags headers.c | grep -v '^#' | grep -oE '\b[A-Za-z][A-Za-z_0-9]*_(t|x|y|rows|part|winner|slot|pixel|forward|backward|weights|products|transpose|terms|prepare|finish)\b' | sed 's/_[a-z]*$//' >>identifiers
done
# words of C are refused, and a name has at most 40 characters; "names" is the model's
mapfile -t names < <(sort -u identifiers | awk 'length <= 40' | grep -vxE 'auto|double|float|register|signed|unsigned|short|long|char|int|void|names')
[ ${#names[@]} -gt 300 ] || fault "only ${#names[@]} names in the headers"
model "${names[@]}" >names.yaml
"$SPNC" emit names.yaml -o out --force >output 2>&1 || { fault "not emitted:"; head -5 output; }
for compiler in ${compilers:-}; do
    $compiler $(sed -n 's/^FLAGS = //p' out/Makefile | sed 's/$(PROCESSOR)//') -fsyntax-only -Iout/runtime out/names.c >output 2>&1 || { fault "$compiler:"; grep error output | head -5; }
done

# ---- a library: the model has none of the names at file scope of its files ------------------------------------------------------------
"$(sh "$root/tests/python.sh" re)" - "$root"/templates/library/*.c.in >own <<'PYTHON' || fault "no names of the library's files"
import re, sys
names = set()
for path in sys.argv[1:]:
    for line in open(path):
        line = re.sub(r"__attribute__\(\(.*?\)\)\)|_Alignas\(\d+\)", "", line)
        if line.startswith("enum {"):
            names |= set(re.findall(r"(\w+) = ", line))
        elif re.fullmatch(r"(typedef struct \{.*)?\} \w+;( +/\*.*)?\n", line):
            names |= set(re.findall(r"\} (\w+);", line))
        elif line.startswith("static "):
            found = re.findall(r"(\S+) = [^=]", line) if "(" not in line.split("=")[0] else re.findall(r"([^\s*]+?)[\[(]", line)[:1]
            names |= {name.split("[")[0].lstrip("*") for name in found}
print("\n".join(sorted(n for n in names if re.fullmatch(r"\w+", n))))
PYTHON
[ "$(grep -cxE 'put_nested|compiled_in|level_here|BLOCK|LAYOUT|Places|Batch|WeightsFile|number|Array' own)" = 10 ] || fault "found these names of the library's files: $(tr '\n' ' ' <own)"
model value >lib.yaml
while read -r name; do
    sed "s/^model: .*/model: $name/" lib.yaml >own.yaml
    "$SPNC" emit own.yaml --for inference -o own_out --force >output 2>&1
    [ $? = 1 ] && grep -q "a library cannot be called '$name'" output || fault "a library may be called $name: $(head -1 output)"
done <own
[ $failed = 0 ] && echo "test_headers: ${#names[@]} names, fine"
exit $failed
