/* fuzz_mutator.c -- how libFuzzer changes a model: half of the time by bytes and words, half of the time by whole lines.
 *
 * In: a model and a seed.  Out: another model, most often still YAML: a line copied elsewhere, removed, exchanged with another, moved in or out
 * by two columns; or a word put in the place of another of the same text.  What bytes alone would break stays whole, and later stages are reached. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LINES_MOST = 512, ROOM = 1 << 16 };

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed);

typedef struct { const uint8_t *at; size_t length; } Part;

static unsigned state;

static size_t below(size_t n)
{
    state = state * 1664525u + 1013904223u;
    return n ? (state >> 8) % n : 0;
}

static int word_byte(uint8_t c) { return (c | 32u) - 'a' < 26u || c - 48u < 10u || c == '_' || c == '$' || c == '.'; }

/* A word of the text, or nothing when none is near a place taken at random. */
static Part word(const uint8_t *s, size_t size)
{
    size_t i = below(size), k;
    while (i < size && !word_byte(s[i]))
        i++;
    for (k = i; k < size && word_byte(s[k]);)
        k++;
    while (i > 0 && i < size && word_byte(s[i - 1]))
        i--;
    return (Part){ s + i, k - i };
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
    static uint8_t made[ROOM];
    Part lines[LINES_MOST + 1];
    size_t count = 0, n = 0;
    state = seed;
    if (below(2) || size < 8 || size > ROOM / 4)
        return LLVMFuzzerMutate(bytes, size, room);
    if (below(2)) {
        Part to = word(bytes, size), from = word(bytes, size);
        size_t before = (size_t)(to.at - bytes), behind = size - before - to.length;
        memcpy(made, bytes, before);
        memcpy(made + before, from.at, from.length);
        memcpy(made + before + from.length, to.at + to.length, behind);
        n = before + from.length + behind;
    } else {
        for (size_t i = 0, k; i < size && count < LINES_MOST; i = k) {
            for (k = i; k < size && bytes[k++] != '\n';)
                continue;
            lines[count++] = (Part){ bytes + i, k - i };
        }
        size_t what = below(5), one = below(count), other = below(count);
        for (size_t i = 0; i < count; i++) {
            Part line = lines[what == 2 && i == one ? other : what == 2 && i == other ? one : i];
            if (what == 1 && i == one)
                continue;
            if (what == 3 && i == one)
                n += (memcpy(made + n, "  ", 2), 2u);
            if (what == 4 && i == one && line.length > 2 && line.at[0] == ' ' && line.at[1] == ' ')
                line = (Part){ line.at + 2, line.length - 2 };
            memcpy(made + n, line.at, line.length);
            n += line.length;
            if (what == 0 && i == one)
                n += (memcpy(made + n, lines[other].at, lines[other].length), lines[other].length);
        }
    }
    n = n < room ? n : room;
    memcpy(bytes, made, n);
    return n;
}
