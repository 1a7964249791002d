#!/usr/bin/env bash
# test_portable.sh -- a library for other processors: --target portable chooses a body when it is opened, --target neon runs on aarch64; all have the same bits.
# usage: tests/test_portable.sh      SPNC names the compiler (build/spnc without it)
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
cat >seen.yaml <<'END'
model: seen
inputs:
  image: { shape: [1, 12, 12], dtype: u8 }
targets: { y: { classes: 3 } }
flow:
  - c: { conv: image, filters: 6, act: relu }
  - m: { maxpool: c, size: 2 }
  - A: { dense: m, units: 6, init: identity_affine }
  - crop: { spn: [image, A], downsample: 3 }
  - n: { layer_norm: crop }
  - repeat: 2
    carry: { h: { gru: { units: 17 } } }
    do:
      - h: { gru: [n, h] }
  - e: exp(h) / (1 + sin(h))
  - v: { dense: { last: h }, units: 3, act: softplus }
loss: { cross_entropy: [v, y] }
outputs: [v, e, crop]
END
cat >main.c <<'END'
#include "seen.h"
#include <stdio.h>
static _Alignas(128) unsigned char memory[SEEN_MEMORY], image[3][144];
static float v[3][3], e[3][2][17], crop[3][16];
#ifdef BODY
int BODY(seen *net, int count, const seen_inputs *in, const seen_outputs *out);
#endif
int main(void)
{
    seen *net;
    for (int i = 0; i < 432; i++)
        image[i / 144][i % 144] = (unsigned char)(i * 37 + i / 3);
    int code = seen_open(&net, memory, sizeof memory, NULL, 0);
    if (code) {
        printf("%d %s\n", code, seen_error(code));
        return 1;
    }
#ifdef BODY
    ((int (**)(seen *, int, const seen_inputs *, const seen_outputs *))memory)[1] = BODY;      /* another than the one that was chosen */
#endif
#ifdef CHOSEN
    const uintptr_t at = ((const uintptr_t *)memory)[1] - (uintptr_t)seen_open;
    printf("%lx\n", (unsigned long)at);
    return 0;
#endif
    for (int n = 0; n < 3; n += SEEN_BATCH)
        if (seen_run(net, SEEN_BATCH, &(seen_inputs){ image[n] }, &(seen_outputs){ v[n], e[n][0], crop[n] }))
            return 2;
    fwrite(v, sizeof v, 1, stdout), fwrite(e, sizeof e, 1, stdout), fwrite(crop, sizeof crop, 1, stdout);
}
END
python3 "$root/tests/fixtures/made_weights.py" "$SPNC" seen.yaml w.npz || fault "no weights"
emitted() { run "$SPNC" emit seen.yaml --for inference --weights w.npz -o "$@"; }
linked() { local to=$1 cc=$2; shift 2; run $cc -O0 -std=c11 -Wall -Wextra main.c "$@" -lm -o "$to"; }
has() { grep -q -m1 -w "$1" /proc/cpuinfo 2>/dev/null; }
machine=$(${CC:-cc} -dumpmachine | cut -d- -f1)

# ---- portable: each body that runs here has the bits of the others; nothing but the interface is seen -------------------------------------
if [ "$machine" = x86_64 ]; then
    emitted portable --target portable --batch 3 --form lanes
    run make -s -C portable libseen.a CFLAGS=-O0
    [ "$(nm -g --defined-only portable/libseen.a | awk 'NF == 3 { printf "%s ", $3 }')" = "seen_error seen_open seen_run " ] || fault "portable: $(nm -g --defined-only portable/libseen.a)"
    nm -u portable/libseen.a | awk 'NF == 2 { print $2 }' | grep -vxE '_GLOBAL_OFFSET_TABLE_|memcpy|memset|memmove|fmaf?|floorf?|sqrtf?' && fault "portable needs these"
    linked chosen ${CC:-cc} -Iportable portable/libseen.a && ./chosen >native.said || fault "portable does not answer: $(head -1 native.said)"
    bodies=generic best=generic
    has avx2 && has fma && bodies="avx2 $bodies" best=avx2 || echo "skipped: avx2"
    has avx512bw && has avx512dq && has avx512vl && has avx512cd && bodies="avx512 $bodies" best=avx512 || echo "skipped: avx512"
    for body in $bodies; do
        linked run_$body ${CC:-cc} -DBODY=seen_run_$body -Iportable portable/seen_front.o portable/seen_{avx512,avx2,generic}.o && ./run_$body >$body.said
        cmp native.said $body.said || fault "the body $body has other bits"
    done
    # which one is chosen: the function's place, from seen_open on; on other processors by qemu
    linked which "${CC:-cc} -static -no-pie" -DCHOSEN -Iportable portable/libseen.a
    chosen() {
        nm which | python3 -c 'import sys
at = {w[2]: int(w[0], 16) for w in map(str.split, sys.stdin) if len(w) == 3}
print(*[k for k in at if k.startswith("seen_run_") and (at[k] - at["seen_open"] - int(sys.argv[1], 16)) % 2**64 == 0])' "$1"
    }
    [ "$(chosen "$(./which)")" = seen_run_$best ] || fault "here $best is to be chosen, not $(chosen "$(./which)")"
    if command -v qemu-x86_64 >/dev/null; then
        for pair in Nehalem:generic Haswell:avx2; do
            got=$(chosen "$(qemu-x86_64 -cpu ${pair%:*} ./which 2>/dev/null)")
            [ "$got" = seen_run_${pair#*:} ] || fault "on a ${pair%:*} ${pair#*:} is to be chosen, not $got"
        done
        emitted avx2 --target avx2 --batch 1 && run make -s -C avx2 libseen.a CFLAGS=-O0 && linked foreign "${CC:-cc} -static" -Iavx2 avx2/libseen.a
        qemu-x86_64 -cpu Nehalem ./foreign >said 2>/dev/null
        [ $? = 1 ] && grep -qx "4 the processor does not have the instructions that the net was built for: avx2" said || fault "a foreign processor: $(head -1 said)"
    else
        echo "skipped: other processors, which qemu-x86_64 would be"
    fi
    "$SPNC" build seen.yaml --target portable -o nowhere >said 2>&1
    [ $? = 2 ] && grep -q "portable is for --for inference" said || fault "a portable trainer: $(head -1 said)"
fi

# ---- neon: on aarch64, the same bits in both forms -----------------------------------------------------------------------------------------
if [ "$machine" = x86_64 ] && command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    emitted latency --batch 1 && run make -s -C latency libseen.a CFLAGS=-O0 && linked latency_run ${CC:-cc} -Ilatency latency/libseen.a && ./latency_run >latency.said
    for form in lanes latency; do
        emitted neon --target neon --form $form --batch $([ $form = lanes ] && echo 3 || echo 1) --force
        run make -s -C neon libseen.a CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar CFLAGS=-O0
        linked neon_run "aarch64-linux-gnu-gcc -static" -Ineon neon/libseen.a && qemu-aarch64 ./neon_run >neon.said || fault "neon does not answer"
        cmp $([ $form = lanes ] && echo native || echo latency).said neon.said || fault "neon, $form: other bits than on x86"
    done
    nm -u neon/libseen.a | awk 'NF == 2 { print $2 }' | grep -vxE 'memcpy|memset|memmove|fmaf?|floorf?|sqrtf?' && fault "neon needs these"
    make -C neon libseen.a CC="${CC:-cc}" CFLAGS=-O0 -B >said 2>&1 && fault "files for aarch64 are compiled for $machine"
    grep -q "make CC=aarch64-linux-gnu-gcc" said || fault "nobody says what to do: $(head -3 said)"
else
    echo "skipped: neon (gcc-aarch64-linux-gnu and qemu-user)"
fi

# ---- a microcontroller: the plain form links with newlib as it is, without a system's calls ---------------------------------------------------
if command -v arm-none-eabi-gcc >/dev/null && echo 'float f(float x) { return __builtin_sqrtf(x); }' | arm-none-eabi-gcc -mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard -x c -c -o probe.o - &&
    echo 'int main(void) { return 0; }' | arm-none-eabi-gcc -mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard -nostartfiles -Wl,-e,main -x c - -lm -o probe 2>said; then
    cortex="arm-none-eabi-gcc -mcpu=cortex-m7 -mthumb -mfpu=fpv5-sp-d16 -mfloat-abi=hard"
    emitted cortex --plain --target generic --batch 1
    run make -s -C cortex libseen.a CC="$cortex" AR=arm-none-eabi-ar CFLAGS=-Os
    cat >board.c <<'END'
#include "seen.h"
static _Alignas(64) unsigned char memory[SEEN_MEMORY];
static uint8_t image[144];
float v[3];
int main(void)
{
    seen *net;
    const int code = seen_open(&net, memory, sizeof memory, NULL, 0);
    return code ? code : seen_run(net, 1, &(seen_inputs){ image }, &(seen_outputs){ .v = v });
}
END
    run $cortex -Os -std=c11 -Icortex board.c cortex/libseen.a -lm -nostartfiles -Wl,-e,main -o board
    arm-none-eabi-nm board | grep -E "malloc|_sbrk|_write|_exit|printf" && fault "the microcontroller's program has these"
else
    echo "skipped: Cortex-M (gcc-arm-none-eabi and libnewlib-arm-none-eabi)"
fi
exit $failed
