/* Every file of tests/errors is wrong in its own way, and says itself what spnc must say about it:
 *
 *     # expect error LINE:COLUMN: text        the errors are these and no others
 *     # expect note LINE:COLUMN: text         among the notes is this one (- instead of a place: it has none)
 *     # set: KEY=VALUE      # memory: SIZE    the options
 */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>

#include "spnc_run.h"

enum { MOST = 32 };

typedef struct { char kind[16], place[32], text[700]; bool met; } Message;
typedef struct { Message of[MOST]; int count; } Messages;

static void add(Messages *list, const char *kind, const char *place, const char *text)
{
    cr_assert(list->count < MOST);
    Message *m = &list->of[list->count++];
    *m = (Message){ 0 };
    snprintf(m->kind, sizeof m->kind, "%s", kind);
    snprintf(m->place, sizeof m->place, "%s", place);
    snprintf(m->text, sizeof m->text, "%s", text);
}

static void read_expectations(const char *path, Messages *list, char options[][2][256], int *option_count)
{
    char line[4096];
    FILE *f = fopen(path, "r");
    cr_assert(f != NULL, "%s", path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *kind = strstr(line, "# expect "), *place = kind ? strchr(kind + 9, ' ') : NULL, *text = place ? strstr(place, ": ") : NULL;
        if (text) {
            *place++ = *text = '\0';
            add(list, kind + 9, place, text + 2);
        }
        for (int i = 0; i < 2; i++) {
            const char *option = i ? "memory" : "set";
            size_t n = strlen(option);
            if (strncmp(line, "# ", 2) != 0 || strncmp(line + 2, option, n) != 0 || strncmp(line + 2 + n, ": ", 2) != 0)
                continue;
            snprintf(options[*option_count][0], 256, "--%s", option);
            snprintf(options[(*option_count)++][1], 256, "%s", line + 4 + n);
        }
    }
    fclose(f);
}

/* What spnc said: lines "PATH:LINE:COLUMN: kind: text" and "kind: text". */
static void read_messages(char *said, const char *path, Messages *list)
{
    size_t n = strlen(path);
    for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n")) {
        int row, column, at = 0;
        char kind[16] = "", place[32] = "-";
        const char *rest = line;
        if (strncmp(line, path, n) == 0 && sscanf(line + n, ":%d:%d: %n", &row, &column, &at) == 2 && at) {
            snprintf(place, sizeof place, "%d:%d", row, column);
            rest = line + n + at;
        }
        at = 0;
        if (sscanf(rest, "%15[a-z]: %n", kind, &at) == 1 && at && (!strcmp(kind, "error") || !strcmp(kind, "note")))
            add(list, kind, place, rest + at);
    }
}

static int compare(const char *path)
{
    static Messages want, said;
    static char options[8][2][256];
    int option_count = 0, argc = 3;
    want.count = said.count = 0;
    read_expectations(path, &want, options, &option_count);
    const char *argv[32] = { spnc_path(), "check", path };
    for (; option_count > 0; option_count--) {
        argv[argc++] = options[option_count - 1][0];
        argv[argc++] = options[option_count - 1][1];
    }
    Run r = run_program(argv, NULL);
    cr_expect(r.status == 1, "%s: spnc check ends with %d, not 1\n%s", path, r.status, r.err);
    read_messages(r.err, path, &said);
    for (int i = 0; i < want.count; i++) {
        Message *w = &want.of[i];
        bool met = false;
        for (int k = 0; k < said.count && !met; k++) {
            Message *s = &said.of[k];
            met = !s->met && !strcmp(w->kind, s->kind) && !strcmp(w->place, s->place) && strstr(s->text, w->text);
            s->met = s->met || met;
        }
        cr_expect(met, "%s: nobody says: %s %s: %s", path, w->kind, w->place, w->text);
    }
    int errors = 0;
    for (int k = 0; k < said.count; k++) {
        Message *s = &said.of[k];
        errors += !strcmp(s->kind, "error");
        cr_expect(s->met || strcmp(s->kind, "error") != 0, "%s: not expected: %s %s: %s", path, s->kind, s->place, s->text);
    }
    cr_expect(errors > 0, "%s: no error", path);
    return want.count;
}

Test(errors, each_wrong_model_gets_exactly_its_errors, .timeout = 120)
{
    DIR *folder = opendir("tests/errors");
    cr_assert(folder != NULL, "tests run in the root of the repository");
    int files = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        char path[512];
        if (!strstr(e->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof path, "tests/errors/%s", e->d_name);
        cr_expect(compare(path) > 0, "%s expects nothing", path);
        files++;
    }
    closedir(folder);
    cr_assert(files > 100);
}

Test(errors, the_models_of_this_repository_have_none, .timeout = 60)
{
    static const char *const models[] = { "models/conv.yaml", "models/ffn_spn.yaml", "models/rnn_spn.yaml" };
    for (int i = 0; i < 3; i++) {
        Run r = SPNC_RUN("check", models[i]);
        cr_expect(r.status == 0, "%s: %s", models[i], r.err);
        cr_expect(r.err[0] == '\0', "%s: %s", models[i], r.err);
    }
}
