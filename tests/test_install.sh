#!/usr/bin/env bash
# test_install.sh -- what others' builds rely on: one version everywhere, make install with its man pages, find_package(spnc) with
# spnc_add_model, the generated Makefiles' CC, CPPFLAGS, CFLAGS, LDFLAGS, LDLIBS, PREFIX and DESTDIR, pkg-config of an installed library.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
build=$(dirname "$SPNC")

# ---- one version ----------------------------------------------------------------------------------------------------------------------
version=$(sed -n 's/^#define SPN_VERSION "\(.*\)"$/\1/p' "$root/trainer/files/version.h")
[ "$("$SPNC" --version)" = "spnc $version" ] && [ "$("$build/spn-data" --version)" = "spn-data $version" ] || fault "the programs say $("$SPNC" --version), $("$build/spn-data" --version), the header $version"
grep -qx "version: $version" "$root/CITATION.cff" || fault "CITATION.cff has another version than $version"
grep -q "^## $version" "$root/CHANGELOG.md" || fault "CHANGELOG.md says nothing about $version"
[ "$(grep -rlF "\"$version\"" "$root/compiler" "$root/trainer" "$root/runtime" "$root/CMakeLists.txt" "$root/install")" = "$root/trainer/files/version.h" ] || fault "the version stands in more than one source"

# ---- the pages ------------------------------------------------------------------------------------------------------------------------
run sh "$root/install/man.sh" "$SPNC" spnc.1 "compiles nets" && run sh "$root/install/man.sh" "$build/spn-data" spn-data.1 "makes examples" make pack sheet
"$SPNC" words | cut -f 1 >names
for command in make pack sheet; do "$build/spn-data" $command --help | sed -n 's/^  \(-[^ ]*\) .*/\1/p' >>names; done
sed 's/\\-/-/g' spnc.1 spn-data.1 >pages
while read -r name; do grep -qE -- "^(\.B (spnc )?|  )(--version, )?$name(,| |$)" pages || fault "the man pages have no $name"; done <names
[ "$(grep -c . names)" -gt 40 ] || fault "only $(grep -c . names) names to look for"
for page in spnc spn-data; do
    grep -q "^\.TH ${page^^} 1 \"\" \"$page $version\"" $page.1 && grep -qx '.SH SYNOPSIS' $page.1 || fault "$page.1 has no head: $(head -5 $page.1)"
    ! command -v groff >/dev/null || [ -z "$(groff -man -Tascii -ww -z $page.1 2>&1)" ] || fault "$page.1: $(groff -man -Tascii -ww -z $page.1 2>&1 | head -3)"
done

# ---- a project that finds spnc ----------------------------------------------------------------------------------------------------------
mkdir -p usr/bin usr/lib/cmake/spnc app
ln -s "$SPNC" usr/bin/spnc && ln -s "$build/spn-data" usr/bin/spn-data
cp "$root/install/spncConfig.cmake" "$build/spncConfigVersion.cmake" usr/lib/cmake/spnc || fault "no package to install"
cat >app/net.yaml <<'END'
model: small
params: { k: 2 }
inputs: { x: { shape: [3] } }
targets: { y: { shape: [$k] } }
flow: [v: { dense: x, units: $k, bias: false }]
loss: { mse: [v, y] }
END
weights() {     # weights FILE ROWS: a dense layer of 3 inputs, the numbers 1, 2, 3, ...
    python3 - "$1" "$2" <<'END'
import struct, sys, zipfile
rows = int(sys.argv[2])
head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 3), }" % rows).ljust(117) + "\n"
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("v.weight.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + struct.pack(f"<{3 * rows}f", *range(1, 3 * rows + 1)))
END
}
weights app/w.npz 4
cat >app/main.c <<'END'
#include "small.h"
#include <stdio.h>
static _Alignas(64) unsigned char memory[SMALL_MEMORY];
int main(void)
{
    small *net;
    float v[8];
    if (small_open(&net, memory, sizeof memory, NULL, 0) || small_run(net, 2, &(small_inputs){ (const float[]){ 1, 0, 0, 0, 1, 1 } }, &(small_outputs){ v }))
        return 1;
    printf("%g %g %g %g\n", v[0], v[3], v[4], v[7]);
}
END
cat >app/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.22)
project(app C)
add_subdirectory(found)
spnc_add_model(net MODEL net.yaml SET k=4 BATCH 2 WEIGHTS w.npz FOR inference OPTIONS --target generic)
add_executable(app main.c)
target_link_libraries(app PRIVATE net)
END
mkdir app/found && echo 'find_package(spnc 0.1 REQUIRED)' >app/found/CMakeLists.txt         # not where the function is called
if command -v cmake >/dev/null; then
    unset CFLAGS
    run cmake -S app -B app/build -DCMAKE_PREFIX_PATH="$work/usr" -DCMAKE_C_FLAGS=-O1 && run cmake --build app/build && [ "$(app/build/app)" = "1 10 5 23" ] || fault "the app says $(app/build/app)"
    run cmake -S app -B app/build -DCMAKE_C_FLAGS=-g && run cmake --build app/build
    readelf -S app/build/net.spnc/small.o | grep -q debug_info || fault "with other CMAKE_C_FLAGS the net is not compiled anew"
    sed -i 's/k=4/k=5/' app/CMakeLists.txt                  # the weights do not fit: said while it is configured, as spnc says it
    cmake -S app -B app/build >said 2>&1 && fault "weights that do not fit are accepted"
    grep -q "v.weight has shape \[4\]\[3\], expected \[5\]\[3\]" said && grep -q "spnc emit ends with 1" said || fault "of weights that do not fit: $(grep -v '^--' said | head -5)"
    weights app/w.npz 5
    run cmake --build app/build && [ "$(app/build/app)" = "1 10 13 17" ] || fault "after a change of the weights the app says $(app/build/app)"
    sed -i 's/spnc_add_model(net/& SETS k=4/' app/CMakeLists.txt
    cmake -S app -B app/build >said 2>&1 && fault "an argument that is none is accepted"
    grep -q "what is 'SETS;k=4'" said || fault "of an argument that is none: $(grep -v '^--' said | head -5)"
    export CFLAGS=-O1
else
    echo "skipped: no cmake"
fi

# ---- the Makefiles: a compiler that writes down what it was given ---------------------------------------------------------------------
cat >cc <<END
#!/bin/sh
echo "\$@" >>"$work/given"
exec ${CC:-cc} "\$@"
END
chmod +x cc
unset CFLAGS
given() {       # given WORD WORD...: each call that compiles or links (first argument) has them
    local kind=$1 word
    shift
    for word; do grep -F -- "$kind" given | grep -vqF -- "$word" && fault "no $word in: $(grep -F -- "$kind" given | grep -vF -- "$word" | head -1)"; done
    grep -qF -- "$kind" given || fault "no call with $kind"
}
: >given
run "$SPNC" emit app/net.yaml --set k=5 --for inference --weights app/w.npz --target generic -o lib
run make -C lib CC="$work/cc" CPPFLAGS=-DGIVEN_CPP CFLAGS="-O0 -DGIVEN_C" LDFLAGS=-Wl,--hash-style=gnu LDLIBS=-Wl,-z,now install PREFIX=/opt/nets DESTDIR="$work/stage"
given " -c " -DGIVEN_CPP -DGIVEN_C && given -shared -DGIVEN_C -Wl,--hash-style=gnu -Wl,-z,now
(cd stage/opt/nets && find . -type f -o -type l | sort | tr '\n' ' ') >said
[ "$(cat said)" = "./include/small.h ./lib/libsmall.a ./lib/libsmall.so ./lib/libsmall.so.0 ./lib/pkgconfig/small.pc " ] || fault "installed: $(cat said)"
if command -v pkg-config >/dev/null; then
    export PKG_CONFIG_PATH=$work/stage/opt/nets/lib/pkgconfig
    pc() { pkg-config --define-variable=prefix="$work/stage/opt/nets" "$@" small; }
    [ "$(pkg-config --variable=prefix small)" = /opt/nets ] || fault "the prefix of small.pc is $(pkg-config --variable=prefix small)"
    pkg-config --modversion small | grep -qE "^$version\+[0-9a-f]{16}$" || fault "the version in small.pc is $(pkg-config --modversion small), not $version and the model hash"
    run ${CC:-cc} -std=c11 app/main.c $(pc --cflags --libs) -lm -o linked && [ "$(LD_LIBRARY_PATH=$work/stage/opt/nets/lib ./linked)" = "$(printf '1 10 13 17')" ] || fault "linked by pkg-config: $(LD_LIBRARY_PATH=$work/stage/opt/nets/lib ./linked)"
else
    echo "skipped: no pkg-config"
fi
: >given
run "$SPNC" emit app/net.yaml --target generic -o trainer
make -k -C trainer SOURCES=trainer/run/threads.c CC="$work/cc" CPPFLAGS=-DGIVEN_CPP CFLAGS="-O0 -DGIVEN_C" LDFLAGS=-Wl,--as-needed LDLIBS=-lrt >said 2>&1       # one source of the trainer is enough to see the options; so it does not link
given " -c " -DGIVEN_CPP -DGIVEN_C && given " -lz" -DGIVEN_C -Wl,--as-needed -lrt
printf '#!/bin/sh\n' >trainer/small && touch -d '2099-01-01' trainer/small
run make -C trainer -o small install PREFIX=/opt/nets DESTDIR="$work/stage" && [ -f stage/opt/nets/bin/small ] || fault "the program is not installed"
exit $failed
