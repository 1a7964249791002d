/* fuzz_model.c -- libFuzzer's entry to the compiler: a model's text through every stage from read to emit, and the pages about it.
 *
 * In: any bytes.  The first byte chooses plain, double, debug and the target when it is a control character, which no model begins with,
 * so that a model's text is a seed as it is.  The stages are those of the compiler's table (pipeline.c), in its order.  An exit in the
 * compiler (a bug of ours is 70, no memory 74) ends the fuzzer and counts as a finding; so does an accepted model without C, a refusal
 * without an error, or an error that quotes no text.  `make fuzz` builds and runs it. */
#include "pipeline.h"
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
    Model m = { .arena = arena, .diag = diag, .options = options, .path = "model.yaml", .file = source_new(arena, "model.yaml", text, size) };
    Text page = { .arena = arena };
    diag_source(diag, m.file);
    m.root = read_yaml(arena, diag, m.file);
    const Stage *refused = m.root ? stages_run(&m) : stages;
    claim(!refused || diag_errors(diag) > 0, "refused without an error");
    claim(refused != &stages[stage_count - 1], "an accepted model without C");
    claim(refused || diag_errors(diag) == 0, "accepted with an error");
    if (!refused) {
        for (int i = 0; i < stage_count; i++)
            if (stages[i].print)
                stages[i].print(&m, nowhere);
        const Deck *deck = deck_new(&m, &m.c);
        show_text(&page, deck);
        show_json(&page, deck);
        show_dot(&page, deck);
        show_html(&page, deck);
        map_write(&page, deck);
    }
    arena_free(arena);
    return 0;
}
