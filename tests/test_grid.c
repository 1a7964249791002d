/* test_grid.c -- the file of a sweep in every spelling of YAML: the same settings, or a refusal with its line. */
#include "grid.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

typedef struct { char text[2000]; size_t n; } Seen;

/* "name=a,b,c;" for each setting */
static void take(void *to, const GridValue *v)
{
    Seen *s = to;
    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s%s%s", v->first ? s->n ? ";" : "" : ",", v->first ? v->name : "", v->first ? "=" : "");
    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s", v->value);
}

static bool reads(Seen *s, const char *text, char *why, size_t room)
{
    *s = (Seen){ .n = 0 };
    *why = '\0';
    return grid_read(text, strlen(text), take, s, why, room);
}

Test(grid, every_spelling_is_read)
{
    static const char *const texts[] = {
        "train.rate: [0.001, 0.002]\nseed: [1, 2]\nepochs: 4\n",
        "train.rate: [0.001,0.002]\r\nseed: [1,2]\r\nepochs: 4\r\n",
        "\xEF\xBB\xBFtrain.rate: [0.001, 0.002]\nseed: [1, 2]\nepochs: 4",
        "%YAML 1.2\n---\ntrain.rate: [0.001, 0.002]\nseed: [1, 2]\nepochs: 4\n...\n",
        "train.rate:\n  - 0.001\n  - 0.002\nseed:\n- 1\n- 2\nepochs: 4\n",
        "train.rate:   # two rates\n\n  - 0.001 # small\n  # and\n  - 0.002\nseed: # two\n    - 1\n    - 2\nepochs:\n  4\n",
        "train.rate: [\n  0.001,\n  0.002,   # the last comma may stand there\n]\nseed: [1\n, 2]\nepochs: 4 # four\n",
        "{ train.rate: [0.001, 0.002], seed: [1, 2], epochs: 4 }\n",
        "{\"train.rate\": [0.001, 0.002], \"seed\": [1, 2], \"epochs\": 4}",
        "---\n{\n  train.rate: [0.001, 0.002],\n  seed: [1, 2],\n  epochs: 4,\n}\n",
        "'train.rate': ['0.001', \"0.002\"]\n\"seed\": [1, 2]\nepochs: '4'\n",
        "train.rate : [ 0.001 , 0.002 ]\nseed :   [ 1 , 2 ]\nepochs :   4  \n",
        "  train.rate: [0.001, 0.002]\n  seed: [1, 2]\n  epochs: 4\n",
        "train:\n  rate: [0.001, 0.002]\nseed: [1, 2]\nepochs: 4\n",
        "train: { rate: [0.001, 0.002] }\nseed: [1, 2]\nepochs: 4\n",
        "train:\n  rate:\n  - 0.001\n  - 0.002\nseed: [1,\t2]\nepochs:\t4\n",
        "# a comment\n\n \n--- # begins\ntrain.rate: [0.001, 0.002]#no comment\n",
    };
    Seen s;
    char why[300];
    for (size_t i = 0; i + 1 < sizeof texts / sizeof *texts; i++) {
        cr_assert(reads(&s, texts[i], why, sizeof why), "%s\nin\n%s", why, texts[i]);
        cr_assert(eq(str, s.text, "train.rate=0.001,0.002;seed=1,2;epochs=4"), "in\n%s", texts[i]);
    }
    cr_assert(not(reads(&s, texts[sizeof texts / sizeof *texts - 1], why, sizeof why)), "a # without a space before it begins no comment");
}

Test(grid, words_are_those_of_yaml)
{
    Seen s;
    char why[300];
    cr_assert(reads(&s, "a.b#c: x#y # z\n'it''s': \"a\\\"b\"\nc:d: -0.5\ne: - \n", why, sizeof why) == false);
    cr_assert(reads(&s, "a.b#c: x#y # z\n'it''s': \"a\\\"b\"\nc:d: -0.5\nf: +1e-3\n", why, sizeof why), "%s", why);
    cr_assert(eq(str, s.text, "a.b#c=x#y;it's=a\"b;c:d=-0.5;f=+1e-3"));
    cr_assert(reads(&s, "", why, sizeof why) && !*s.text);
    cr_assert(reads(&s, "# nothing\n---\n...\n", why, sizeof why) && !*s.text, "%s", why);
}

Test(grid, what_has_no_meaning_is_refused_with_its_line)
{
    static const struct { const char *text, *said; } wrong[] = {
        { "rate 0.1\n", "1: got 'rate 0.1', expected a line as in" }, { "rate: 1\nseed\n", "2: got 'seed'" }, { "rate:0.1\n", "1: got 'rate:0.1'" },
        { "rate: [0.1\nseed: 1\n", "1: rate: a list that begins with [ ends with ]" }, { "rate: [0.1\n", "1: rate: a list that begins with [" },
        { "rate: [0.1 0.2, 3\n", "ends with ]" }, { "rate: []\n", "1: rate: an empty list" }, { "rate: [[1, 2], [3]]\n", "1: rate: expected a number in the list" },
        { "rate: [, 1]\n", "1: rate: expected a number in the list" }, { "rate:\nseed: 1\n", "1: rate: expected a number, or a list" }, { "rate:", "rate: expected a number, or a list" },
        { "rate:\n  - [1]\n", "2: rate: expected a number behind the dash" }, { "rate:\n  -\n  - 1\n", "2: rate: expected a number behind the dash" },
        { "rate: &a 1\n", "1: '&' at the beginning" }, { "rate: *a\n", "1: '*' at" }, { "rate: !!float 1\n", "1: '!' at" }, { "rate: |\n  1\n", "1: '|' at" },
        { "rate: \"0.1\n", "1: a text that begins with \"" }, { "rate: '0.1\n\n'", "1: a text that begins with '" }, { "rate: \"\\x31\"\n", "1: the escape \\x" },
        { "\trate: 1\n", "1: a tab" }, { "train:\n\trate: 1\n", "2: a tab" }, { "rate: 1\n  seed: 2\n", "2: expected a line" }, { "  rate: 1\nseed: 2\n", "2: expected a line" },
        { "{rate: 1\n", "1: a map that begins with { ends with }" }, { "{rate: 1} 2\n", "1: got '2'" }, { "rate: 1\n---\nseed: 2\n", "2: expected a line" },
        { "rate: [1, 2] 3\n", "1: rate: expected the end of the line" }, { "rate: 'a' b\n", "1: rate: expected the end of the line" }, { "- 1\n- 2\n", "1: expected a line" },
        { "[1, 2]\n", "1: expected a line" }, { "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}}\n", "1: maps in maps" }, { "]", "1: " }, { "}", "1: " }, { ",", "1: " }, { ":", "1: " },
    };
    Seen s;
    char why[300];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert(not(reads(&s, wrong[i].text, why, sizeof why)), "%s is read as %s", wrong[i].text, s.text);
        cr_assert(strstr(why, wrong[i].said) != NULL, "of\n%s\n%s, not %s", wrong[i].text, why, wrong[i].said);
    }
    char text[4] = { 'a', ':', ' ', '\0' }, word[1000] = "";
    cr_assert(grid_read(text, sizeof text, take, &s, why, sizeof why) == false && strstr(why, "NUL"), "%s", why);
    memset(word, 'x', sizeof word - 1);
    cr_assert(reads(&s, word, why, sizeof why) == false && strstr(why, "a word of more than"), "%s", why);
}

/* Every beginning of a text, and the text with every byte replaced, is read or refused. */
Test(grid, no_text_is_too_strange)
{
    static const char text[] = "%YAML 1.2\n--- # x\ntrain: { rate: ['0.1', \"2\",\n 3] }\nseed:\n- 1\n- 2 # y\nepochs: 4\n...\n", bytes[] = "[]{}:,-'\"#\n\r\t &%\\.x\x80";
    char changed[sizeof text], why[300];
    Seen s;
    for (size_t i = 0; i < sizeof text; i++) {
        s = (Seen){ .n = 0 };
        grid_read(text, i, take, &s, why, sizeof why);
        for (size_t k = 0; k < sizeof bytes && i + 1 < sizeof text; k++) {
            memcpy(changed, text, sizeof text);
            changed[i] = bytes[k];
            *why = '\0', s = (Seen){ .n = 0 };
            bool fine = grid_read(changed, sizeof text - 1, take, &s, why, sizeof why);
            cr_assert(fine == !*why, "%s: %s", changed, why);
        }
    }
}
