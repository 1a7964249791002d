/* Diagnostics, compared byte for byte. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "spnc.h"

static Arena *arena;
static FILE *stream;
static const Source *file;
static char *printed;
static size_t size;

static Diag *begin(const char *path, const char *text, bool json, bool colour)
{
    arena = arena_new();
    stream = open_memstream(&printed, &size);
    Diag *d = diag_new(arena, stream, json, colour);
    file = source_new(arena, path, text, strlen(text));
    diag_source(d, file);
    return d;
}

#define PRINTED(expected) do { \
        fflush(stream); \
        cr_assert(strcmp(printed, expected) == 0, "printed:\n%s", printed); \
    } while (0)

static void end(void)
{
    if (stream) {
        fclose(stream);
        free(printed);
        arena_free(arena);
    }
}

TestSuite(diag, .fini = end, .timeout = 600);

Test(diag, shows_path_line_and_caret)
{
    Diag *d = begin("models/m.yaml", "a: 1\nb:\n  - conv: 3\n", false, false);
    diag_error(d, (Loc){ 3, 5, 4, file }, "a %dx%d kernel does not fit", 3, 3);
    diag_note(d, (Loc){ 1, 1, 1, file }, "from here");
    diag_note(d, (Loc){ 0 }, "d=8 comes from --set d=8");
    PRINTED("models/m.yaml:3:5: error: a 3x3 kernel does not fit\n"
            "    3 |   - conv: 3\n      |     ^~~~\n"
            "models/m.yaml:1:1: note: from here\n    1 | a: 1\n      | ^\n"
            "note: d=8 comes from --set d=8\n");
    cr_assert(eq(int, diag_errors(d), 1));
}

/* A net of a file of its own, used twice in the model. */
Test(diag, each_place_is_quoted_from_its_own_file)
{
    Diag *d = begin("models/m.yaml", "flow:\n  - c: { front: image }\n", false, false);
    const char *text = "front:\n  - conv: { kernel: 3 }\n";
    const Source *nets = source_new(arena, "models/nets.yaml", text, strlen(text));
    diag_error(d, (Loc){ 2, 5, 4, nets }, "a kernel does not fit");
    diag_note(d, (Loc){ 2, 10, 5, file }, "used here");
    diag_error(d, (Loc){ 2, 5, 4, file }, "a kernel does not fit");
    diag_error(d, (Loc){ 2, 5, 4, nets }, "a kernel does not fit");
    diag_warning(d, (Loc){ 2, 0, 0, nets }, "a whole line");
    PRINTED("models/nets.yaml:2:5: error: a kernel does not fit\n    2 |   - conv: { kernel: 3 }\n      |     ^~~~\n"
            "models/m.yaml:2:10: note: used here\n    2 |   - c: { front: image }\n      |          ^~~~~\n"
            "models/m.yaml:2:5: error: a kernel does not fit\n    2 |   - c: { front: image }\n      |     ^~~~\n"
            "models/nets.yaml:2: warning: a whole line\n    2 |   - conv: { kernel: 3 }\n");
    cr_assert(eq(int, diag_errors(d), 2));
}

Test(diag, json_names_the_file_of_each_place)
{
    Diag *d = begin("m.yaml", "a", true, false);
    diag_error(d, (Loc){ 1, 1, 1, source_new(arena, "n.yaml", "b", 1) }, "there");
    diag_note(d, (Loc){ 0 }, "somewhere");
    PRINTED("{\"severity\": \"error\", \"path\": \"n.yaml\", \"line\": 1, \"column\": 1, \"length\": 1, \"message\": \"there\"}\n"
            "{\"severity\": \"note\", \"path\": \"m.yaml\", \"line\": 0, \"column\": 0, \"length\": 0, \"message\": \"somewhere\"}\n");
}

Test(diag, tabs_wide_and_combining_characters_keep_the_caret)
{
    Diag *d = begin("m", "\ta\t\xE4\xB8\xAD" "e\xCC\x81X", false, false);
    diag_error(d, (Loc){ 1, 7, 1, file }, "here");
    PRINTED("m:1:7: error: here\n    1 |     a    \xE4\xB8\xAD" "e\xCC\x81X\n      |             ^\n");
}

Test(diag, control_characters_never_get_out_raw)
{
    Diag *d = begin("a\x1b[31m\n.yaml", "x\x1b]0;t\x07\x7f\xff\xC2\x9B\xE2\x80\xAE!", false, false);
    diag_error(d, (Loc){ 1, 12, 1, file }, "bad '%s'", "\x1b[2J\t\n\xff");
    PRINTED("a\\x1b[31m\\n.yaml:1:12: error: bad '\\x1b[2J\\t\\n\\xff'\n"
            "    1 | x\\x1b]0;t\\x07\\x7f\\xff\\u009b\\u202e!\n"
            "      |                                  ^\n");
}

Test(diag, long_lines_are_windowed)
{
    char text[5001];
    memset(text, 'x', 5000);
    text[5000] = '\0';
    text[2000] = '!';
    Diag *d = begin("m", text, false, false);
    diag_error(d, (Loc){ 1, 2001, 5, file }, "here");
    fflush(stream);
    const char *line = strstr(printed, "    1 | ..."), *caret = strstr(printed, "      | ");
    cr_assert(line && caret);
    cr_assert(strlen(line) < 300);
    const char *mark = strchr(line, '!'), *hat = strchr(caret, '^');
    cr_assert(mark && hat);
    cr_assert(eq(int, (int)(mark - line), (int)(hat - caret)));
    cr_assert(strncmp(hat, "^~~~~\n", 6) == 0);
}

Test(diag, a_place_outside_the_text_is_harmless)
{
    Diag *d = begin("m", "ab", false, false);
    diag_error(d, (Loc){ 9, 1, 1, file }, "far");
    diag_error(d, (Loc){ 1, 3, 50, file }, "past");
    PRINTED("m:9:1: error: far\nm:1:3: error: past\n    1 | ab\n      |   ^\n");
}

Test(diag, says_the_same_once_and_drops_its_notes)
{
    Diag *d = begin("m", "ab", false, false);
    for (int i = 0; i < 3; i++) {
        diag_error(d, (Loc){ 0 }, "same");
        diag_note(d, (Loc){ 0 }, "note %d", i);
    }
    diag_warning(d, (Loc){ 0 }, "same");
    PRINTED("error: same\nnote: note 0\nwarning: same\n");
    cr_assert(eq(int, diag_errors(d), 1));
}

Test(diag, a_flood_is_cut)
{
    Diag *d = begin("m", "ab", false, false);
    for (int i = 0; i < 100000; i++)
        diag_error(d, (Loc){ 0 }, "error %d", i);
    fflush(stream);
    cr_assert(size < 3000);
    cr_assert(strstr(printed, "too many errors") != NULL);
    cr_assert(eq(int, diag_errors(d), 100000));
}

Test(diag, colours_are_red_cyan_and_green)
{
    Diag *d = begin("m", "ab", false, true);
    diag_error(d, (Loc){ 1, 1, 2, file }, "e");
    diag_note(d, (Loc){ 0 }, "n");
    PRINTED("m:1:1: \033[1;31merror:\033[0m e\n    1 | ab\n      | \033[32m^~\033[0m\n\033[36mnote:\033[0m n\n");
}

Test(diag, json_is_an_object_a_line)
{
    Diag *d = begin("a\"\\\x01\xff.yaml", "ab", true, false);
    diag_error(d, (Loc){ 1, 2, 3, file }, "tab\tand '\xC3\xA9'");
    diag_note(d, (Loc){ 0 }, "n");
    PRINTED("{\"severity\": \"error\", \"path\": \"a\\\"\\\\\\u0001\\ufffd.yaml\", \"line\": 1, \"column\": 2, \"length\": 3, "
            "\"message\": \"tab\\u0009and '\xC3\xA9'\"}\n"
            "{\"severity\": \"note\", \"path\": \"a\\\"\\\\\\u0001\\ufffd.yaml\", \"line\": 0, \"column\": 0, \"length\": 0, "
            "\"message\": \"n\"}\n");
}

Test(diag, a_huge_message_loses_its_middle)
{
    char *word = calloc(1, 1000001);
    memset(word, 'w', 1000000);
    Diag *d = begin("m", "", false, false);
    diag_error(d, (Loc){ 0 }, "the key '%s' is unknown", word);
    free(word);
    fflush(stream);
    cr_assert(size < 700);
    cr_assert(strstr(printed, "www...www") && strstr(printed, "' is unknown\n"));
}

#define SUGGESTS(word, count, expected) cr_assert(eq(str, (char *)diag_suggestion(arena, word, words, count), expected))

Test(diag, a_message_ends_with_the_nearest_word)
{
    const char *const words[] = { "conv", "maxpool", "dense", "dropout" };
    begin("m", "", false, false);
    SUGGESTS("cnov", 4, "; did you mean 'conv'?");
    SUGGESTS("max_pool", 4, "; did you mean 'maxpool'?");
    SUGGESTS("dens", 4, "; did you mean 'dense'?");
    SUGGESTS("attention", 4, "");
    SUGGESTS("x", 4, "");
    SUGGESTS("conv", 0, "");
}
