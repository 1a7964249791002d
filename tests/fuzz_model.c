/* fuzz_model.c -- libFuzzer's way into the compiler: a model's text through every stage from read to emit, and the pages about it.
 *
 * In: any bytes.  The first byte chooses plain, double, debug and the target when it is a control character, which no model begins with,
 * so that a model's text is a seed as it is.  The stages are those of main.c, called in its order.  An exit in the compiler (a bug of
 * ours is 70, no memory 74) ends the fuzzer and counts as a finding; so does an accepted model without C, a refusal without an error, or
 * an error that quotes no text.  `make fuzz` builds and runs it. */
#include "base/diag.h"
#include "tell/show.h"
#include <stdlib.h>
#include <string.h>

static FILE *nowhere;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void claim(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_model: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const targets[] = { "avx512", "avx2", "generic", "avx2" };
    ops_register();
    if (!nowhere && !(nowhere = fopen("/dev/null", "w")))
        abort();
    unsigned choice = size && bytes[0] < 0x20 && bytes[0] != '\n' ? bytes[0] : 0;
    if (choice)
        bytes++, size--;
    Arena *arena = arena_new();
    Diag *diag = diag_new(arena, nowhere, choice & 1, choice & 2);
    const char *text = arena_copy(arena, (const char *)bytes, size);
    Options options = { .target = targets[choice >> 3 & 3], .memory = (int64_t)64 << 30, .plain = choice & 1, .is_double = choice & 2,
                        .debug = (choice & 5) == 5 };
    Model m = { .arena = arena, .diag = diag, .options = options, .path = "model.yaml", .yaml = text };
    Text c = { .arena = arena }, makefile = { .arena = arena }, page = { .arena = arena };
    diag_source(diag, m.path, text, size);
    const Yaml *root = read_yaml(arena, diag, text, size);
    bool good = root && model_build(&m, root, NULL, 0);
    good = root && shape_infer(&m) && good;
    good = good && steps_split(&m) && grad_build(&m);
    if (good) {
        warn(&m);
        fuse(&m);
        kernels_choose(&m);
        good = plan(&m);
    }
    claim(good || diag_errors(diag) > 0, "refused without an error");
    if (good && diag_errors(diag) == 0) {
        static const char *const stages[] = { "graph", "steps", "grad", "fuse", "plan", "identity" };
        for (int i = 0; i < 6; i++)
            stage_print(&m, stages[i], nowhere);
        claim(emit(&m, &c, &makefile) && diag_errors(diag) == 0, "an accepted model without C");
        const Deck *deck = deck_new(&m, &c);
        show_text(&page, deck);
        show_json(&page, deck);
        show_dot(&page, deck);
        show_html(&page, deck);
        map_write(&page, deck);
    }
    arena_free(arena);
    return 0;
}
