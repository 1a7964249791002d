#!/usr/bin/env bash
# test_build.sh -- `spnc build`: objects of the trainer that are kept between builds, CFLAGS, and what an edit of `train:` compiles.
# A program must be the same bytes with and without the cache, whatever state that is in; what was compiled is read off the calls of the compiler.
# SPNC: the spnc to test (default build/spnc).
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
unset CFLAGS CC
export XDG_CACHE_HOME=$work/cache
mkdir store

# A compiler that writes down its calls, and compiles a source of the trainer with the same options only once, without optimising, so that this test is
# short; with ALIKE set, whatever the options and the compiler.
for compiler in gcc clang; do
    cat >my-$compiler <<END
#!/usr/bin/env bash
echo " \$*" >>"$work/calls"
[[ " \$* " =~ " -c -o "((runtime|trainer)[^ ]*)" " ]] || exec $compiler "\$@"
object=\${BASH_REMATCH[1]}
alike=$work/store/\${object//\//_} kept=\$alike
[ -n "\$ALIKE" ] || { read -r options _ < <(md5sum <<<"\$*"); kept=$work/store/$compiler-\$options; }
if [ ! -f "\$kept" ]; then
    $compiler "\$@" -O0 && cp "\$object" "\$kept.\$\$" && mv "\$kept.\$\$" "\$kept" && rm -f "\$object" || exit 1
    [ "\$kept" -ef "\$alike" ] || ln -f "\$kept" "\$alike"
fi
cp "\$kept" "\$object"
END
    chmod +x my-$compiler
done
export CC=$work/my-gcc
cat >net.yaml <<'END'
model: net
params: { width: 8, step: 0.1 }
batch: 16
inputs: { x: { shape: [5] } }
targets: { y: { classes: 3 } }
flow:
  - h: { dense: x, units: $width, act: relu }
  - v: { dense: h, units: 3 }
loss: { cross_entropy: [v, y] }
train:
  optimiser: { rmsprop: { rate: $step, decay: 0.9, epsilon: 1e-6 } }
  clip: { element: 1, norm: 5 }
  epochs: 3
END
# build FOLDER options...: what the compiler is called for is then in `calls`
build() { : >calls; run "$SPNC" build net.yaml -o "$@"; }
trainer() { grep -c -e ' -c -o \(runtime\|trainer\)' calls; }
sets() { find "$XDG_CACHE_HOME" -name '*.objects' 2>/dev/null | wc -l; }
set_file() { find "$XDG_CACHE_HOME" -name '*.objects'; }
same() { cmp -s first/net "$1/net" || fault "$1: not the program of the first build"; }
compiled() { [ "$(trainer)" -gt 30 ] || fault "$1: the trainer was not compiled"; }
taken() { [ "$(trainer)" = 0 ] || fault "$1: $(trainer) sources of the trainer were compiled"; }

# ---- the same program ----------------------------------------------------------------------------------------------------
build first --no-cache && compiled "--no-cache"
[ "$(sets)" = 0 ] || fault "--no-cache keeps objects"
build second && compiled "an empty cache" && same second
[ "$(sets)" = 1 ] || fault "$(sets) sets of objects, expected one"
[ "$(stat -c %a "$XDG_CACHE_HOME/spnc")" = 700 ] || fault "others may write to the cache"
build third && taken "a full cache" && same third
build third && taken "a folder that is built already" && same third
cp -r second moved && run make -s -C moved clean && : >calls && run make -s -j2 -C moved && compiled "make alone" && same moved
cmp -s net.yaml /dev/null && fault "no model"
sed -i 's/units: \$width/units: 2 * $width/; s/^model: net/model: other/' net.yaml
build wider && taken "another net"
sed -i 's/units: 2 \* \$width/units: $width/; s/^model: other/model: net/' net.yaml
for word in check show emit; do "$SPNC" $word net.yaml --no-cache >output 2>&1; [ $? = 2 ] || fault "$word takes --no-cache"; done

# ---- an object in the folder: make's own rule --------------------------------------------------------------------------------
rm third/trainer/main.o && build third && taken "an object that is gone" && same third
touch -d '2001-01-01' third/trainer/main.o && build third && taken "an object that is older than its source" && same third
echo damage >third/runtime/block.o && touch -d '2001-01-01' third/runtime/block.o third/trainer/main.o && build third && taken "objects that make would compile anew" && same third

# ---- a cache that is damaged, of another origin, cannot be written, is full ------------------------------------------------------------
good=$(set_file) && cp "$good" good
for damage in 'printf X | dd of=SET bs=1 seek=300000 conv=notrunc' 'truncate -s 200000 SET' 'truncate -s 0 SET' 'printf X | dd of=SET bs=1 seek=200 conv=notrunc' 'printf X >>SET'; do
    sh -c "${damage//SET/$good}" 2>/dev/null
    build damaged && compiled "$damage" && same damaged
    cmp -s good "$good" || fault "$damage: the set was not written anew"
    rm -r damaged
done
rm "$good" && mkdir "$good" && build folder && compiled "a folder in the place of a set" && same folder
rmdir "$good"
for place in /dev/null /proc relative "$work/file"; do
    touch file
    XDG_CACHE_HOME=$place build "unusable${place//\//-}" && compiled "the cache $place" && same "unusable${place//\//-}"
done
[ ! -e relative ] || fault "a relative XDG_CACHE_HOME is used"
(unset XDG_CACHE_HOME && HOME=$work/home build at_home) && [ "$(find home/.cache/spnc -name '*.objects' | wc -l)" = 1 ] || fault "not in ~/.cache"
(unset XDG_CACHE_HOME HOME && build homeless && compiled "no home" && same homeless)
if [ "$(id -u)" != 0 ]; then
    chmod 555 "$XDG_CACHE_HOME/spnc" && build readonly && compiled "a cache that cannot be written" && same readonly
    chmod 700 "$XDG_CACHE_HOME/spnc"
fi
# every file that spnc opens for a set is /dev/full
cat >full.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
FILE *fopen(const char *path, const char *mode)
{
    FILE *(*open)(const char *, const char *);
    *(void **)&open = dlsym(RTLD_NEXT, "fopen");
    return *mode == 'w' && strstr(path, ".objects.") ? open("/dev/full", "w") : open(path, mode);
}
END
run cc -shared -fPIC -o full.so full.c -ldl
: >calls; run env LD_PRELOAD="$work/full.so" "$SPNC" build net.yaml -o full && compiled "a full disk" && same full
[ "$(sets)" = 0 ] || fault "a full disk keeps something"
[ -z "$(find "$XDG_CACHE_HOME" -type f)" ] || fault "left behind: $(find "$XDG_CACHE_HOME" -type f)"

# ---- two at a time: into two folders, into one -------------------------------------------------------------------------------
"$SPNC" build net.yaml -o left >left.said 2>&1 & left=$!
"$SPNC" build net.yaml -o right >right.said 2>&1 & right=$!
wait $left || fault "left: $(cat left.said)"
wait $right || fault "right: $(cat right.said)"
same left && same right
[ "$(sets)" = 1 ] && cmp -s good "$good" || fault "two builds leave another set"
for round in empty full; do
    rm -rf left && [ $round = full ] || rm -f "$good"
    "$SPNC" build net.yaml -o left >left.said 2>&1 & left=$!
    "$SPNC" build net.yaml -o left >right.said 2>&1 & right=$!
    wait $left || fault "one folder, $round cache: $(cat left.said)"
    wait $right || fault "one folder, $round cache: $(cat right.said)"
    same left
    cmp -s good "$good" || fault "two builds of one folder leave another set"
done

# ---- what a set depends on -----------------------------------------------------------------------------------------------
own() { local before=$1; shift; run env ALIKE=1 "$@" || return; [ "$(sets)" = $((before + 1)) ] || fault "no set of its own: $*"; }
own 1 CFLAGS=-DOTHER=1 "$SPNC" build net.yaml -o define
own 2 CFLAGS=-O0 "$SPNC" build net.yaml -o slow
own 3 "$SPNC" build net.yaml -o double --precision double
count=4
if command -v clang >/dev/null; then own 4 CC="$work/my-clang" "$SPNC" build net.yaml -o clang; count=5; fi
mkdir include && echo '#define ELSEWHERE' >include/stdlib.h && echo '#include_next <stdlib.h>' >>include/stdlib.h
own $count CPATH="$work/include" "$SPNC" build net.yaml -o header
count=$((count + 1))
for flags in -g -march=native "-include $work/include/stdlib.h" "-I$work/include" "-Wp,-DX" "-fprofile-arcs -ftest-coverage"; do  # flags with outside input
    : >calls; run env ALIKE=1 CFLAGS="$flags" "$SPNC" build net.yaml -o "other$flags" && compiled "$flags"
    [ "$(sets)" = $count ] || fault "objects are kept of $flags"
done

# ---- unused files are removed ----------------------------------------------------------------------------------------------
for k in {1..50}; do echo old >"$XDG_CACHE_HOME/spnc/$k.objects"; touch -d "$k days ago" "$XDG_CACHE_HOME/spnc/$k.objects"; done
echo mine >"$XDG_CACHE_HOME/spnc/notes"
echo left >"$XDG_CACHE_HOME/spnc/x.objects.1.tmp" && touch -d '100 days ago' "$XDG_CACHE_HOME/spnc/x.objects.1.tmp"
rm "$good" && build tidy && same tidy
[ "$(sets)" = 32 ] && [ -e "$good" ] && [ -e "$XDG_CACHE_HOME/spnc/1.objects" ] && [ ! -e "$XDG_CACHE_HOME/spnc/50.objects" ] && [ ! -e "$XDG_CACHE_HOME/spnc/x.objects.1.tmp" ] &&
    [ -e "$XDG_CACHE_HOME/spnc/notes" ] || fault "not the 32 sets that were used last: $(ls "$XDG_CACHE_HOME/spnc")"

# ---- CFLAGS are added; they change no bits ------------------------------------------------------------------------------------
last_level() { grep -e "-c -o $1 " calls | grep -o -e ' -O[^ ]*' | tail -1; }
export ALIKE=1
# again FLAGS [OBJECT]: what is made of the net, or one object of it, is compiled anew in `flags`, the trainer is as it was
again() { : >calls; rm -f flags/net flags/${2:-net*.o}; CFLAGS=$1 "$SPNC" build net.yaml -o flags >output 2>&1; }
build flags; [ "$(last_level net.o)" = " -O2" ] || fault "without CFLAGS: $(last_level net.o)"
for flags in -g -DX=1 "-Wshadow -fno-omit-frame-pointer"; do
    again "$flags" net-train.o && [ "$(last_level net-train.o)" = " -O2" ] && grep -q -e "$flags.*-c -o net-train.o" calls || fault "CFLAGS=$flags: $(cat calls)"
done
again -O0 && [ "$(last_level net.o)" = " -O0" ] || fault "CFLAGS=-O0 gives $(last_level net.o)"
: >calls; rm -f flags/net.o; run make -s -C flags CFLAGS=-O3; [ "$(last_level net.o)" = " -O3" ] || fault "make CFLAGS=-O3 gives $(last_level net.o)"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
    export CC=$work/my-$compiler
    rm -rf flags && build flags && cp -r flags as_it_is
    for flags in "-ffp-contract=fast -funsafe-math-optimizations" "-fassociative-math -freciprocal-math -fno-signed-zeros -std=gnu17 -fno-openmp -mno-fma"; do
        again "$flags -w" || fault "$compiler: CFLAGS=$flags: $(head -5 output)"
        for object in net.o net-train.o; do cmp -s as_it_is/$object flags/$object || fault "$compiler: CFLAGS=$flags changes $object"; done
    done
    for flags in "-ffast-math -fno-finite-math-only" "-Ofast -fno-finite-math-only"; do        # what these link makes denormals zero
        again "$flags" net-train.o && [ "$(nm flags/net | grep -c set_fast_math)" = 0 ] || fault "$compiler: CFLAGS=$flags links crtfastmath.o"
    done
    refuse=("-ffast-math" "-Ofast" "-ffinite-math-only" "-O3 -ffast-math")
    [ $compiler = clang ] || refuse+=("-fsingle-precision-constant" "-mfpmath=387")
    for flags in "${refuse[@]}"; do
        again "$flags"
        [ $? = 74 ] && [ ! -e flags/net ] || fault "$compiler: CFLAGS=$flags is compiled"
        grep -q 'change.* what a net computes: leave \(it\|them\) out of CFLAGS\|computed in float and double as they are' output || fault "$compiler: CFLAGS=$flags: $(head -5 output)"
    done
    rm -r as_it_is
done
export CC=$work/my-gcc
unset ALIKE

# ---- an edit of `train:` ---------------------------------------------------------------------------------------------------------
build edited
stamp() { stat -c '%i %y' edited/net.c edited/net.o edited/Makefile edited/trainer/main.o; }
before=$(stamp) hash=$(edited/net info --json | grep -o '"model_hash": *"[^"]*"')
while read -r edit; do
    sed -i "$edit" net.yaml && build edited || fault "$edit"
    [ "$(stamp)" = "$before" ] || fault "$edit compiles the net anew"
    [ "$(grep -c -e ' -c ' calls)" = 1 ] || fault "$edit: $(grep -e ' -c ' calls)"
    cmp -s net.yaml <(edited/net info --yaml 2>/dev/null) || grep -q -F "$(tail -1 net.yaml)" edited/net-train.c || fault "$edit is not in the program"
done <<'END'
s/decay: 0.9/decay: 0.8/
s/epsilon: 1e-6/epsilon: 1e-5, epsilon_inside: true/
s/element: 1/element: 2/
s/norm: 5/norm: 4, rule: lasagne/
/clip:/d
s/epochs: 3/epochs: 4/
$a\  patience: 2
$a\  weight_decay: 1e-4
$a\  seed: 7
$a\  schedule: { divide: 2, every: 3 }
s/step: 0.1/step: 0.05/
END
[ "$(edited/net info --json | grep -o '"model_hash": *"[^"]*"')" != "$hash" ] || fault "the model hash is the old one"
# the nine nets: NAME.c is the same bytes
for net in conv:1 {ffn,rnn}_spn:{1,2,3,4}; do
    model=${net%:*} d=${net#*:}
    sed 's/rate: 5e-4/rate: 3e-4/; s/norm: 5/norm: 2/; s/first: 31/first: 11/; s/seed: 1/seed: 2/; s/epochs: 300/epochs: 30/' "$root/models/$model.yaml" >"$model.yaml"
    cmp -s "$model.yaml" "$root/models/$model.yaml" && fault "$model: nothing was edited"
    mkdir -p was is
    (cd was && cp "$root/models/$model.yaml" . && run "$SPNC" emit "$model.yaml" --set "d=$d" -o "$model-$d")
    (cd is && cp "../$model.yaml" . && run "$SPNC" emit "$model.yaml" --set "d=$d" -o "$model-$d")
    [ "$(diff -rq was/$model-$d is/$model-$d | grep -v '/.spnc ')" = "Files was/$model-$d/$model-train.c and is/$model-$d/$model-train.c differ" ] ||
        fault "$net: $(diff -rq was/$model-$d is/$model-$d)"
done

# ---- the licence ---------------------------------------------------------------------------------------------------------------
without=$(grep -L 'SPDX-License-Identifier: 0BSD' first/Makefile first/net*.[cp]* first/runtime/*.[ch] first/trainer/*.[ch] first/trainer/*/*.[ch])
[ -z "$without" ] || fault "no licence in $without"
[ $failed = 0 ] && echo "test_build: fine"
exit $failed
