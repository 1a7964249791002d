/* Every file of tests/errors has a mistake of its own, and comments with the messages that spnc must print about it:
 *
 *     # expect error LINE:COLUMN: text        the errors are these and no others; likewise `# expect warning`, and a file that
 *                                             expects no error passes with its warnings
 *     # expect note LINE:COLUMN: text         among the notes is this one (- instead of a place: it has none)
 *     # set: KEY=VALUE      # memory: SIZE      # templates: FOLDER      # for: WHAT      # outputs: A,B     # switch: step     the options
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
        static const char *const names[] = { "set", "memory", "templates", "for", "outputs" };
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const char *option = names[i];
            size_t n = strlen(option);
            if (strncmp(line, "# ", 2) != 0 || strncmp(line + 2, option, n) != 0 || strncmp(line + 2 + n, ": ", 2) != 0)
                continue;
            snprintf(options[*option_count][0], 256, "--%s", option);
            snprintf(options[(*option_count)++][1], 256, "%s", line + 4 + n);
        }
        if (!strncmp(line, "# switch: ", 10)) {         /* an option without a value */
            snprintf(options[*option_count][0], 256, "--%.200s", line + 10);
            options[(*option_count)++][1][0] = '\0';
        }
    }
    fclose(f);
}

/* The output of spnc: lines "PATH:LINE:COLUMN: kind: text" and "kind: text". */
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
        if (sscanf(rest, "%15[a-z]: %n", kind, &at) == 1 && at && (!strcmp(kind, "error") || !strcmp(kind, "warning") || !strcmp(kind, "note")))
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
        if (*options[option_count - 1][1])
            argv[argc++] = options[option_count - 1][1];
    }
    Run r = run_program(argv, NULL);
    int errors = 0, faults = 0;
    for (int i = 0; i < want.count; i++) {
        errors += !strcmp(want.of[i].kind, "error");
        faults += strcmp(want.of[i].kind, "note") != 0;
    }
    cr_expect(faults > 0, "%s expects neither error nor warning", path);
    cr_expect(r.status == (errors > 0), "%s: spnc check ends with %d\n%s", path, r.status, r.err);
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
    for (int k = 0; k < said.count; k++) {
        Message *s = &said.of[k];
        cr_expect(s->met || strcmp(s->kind, "note") == 0, "%s: not expected: %s %s: %s", path, s->kind, s->place, s->text);
    }
    return want.count;
}

Test(errors, each_wrong_model_gets_exactly_its_errors, .timeout = 600)
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

Test(errors, the_models_of_this_repository_have_neither_errors_nor_warnings, .timeout = 600)
{
    DIR *folder = opendir("models");
    int files = 0;
    cr_assert(folder != NULL);
    for (struct dirent *e; (e = readdir(folder));) {
        char path[512];
        if (!strstr(e->d_name, ".yaml"))
            continue;
        snprintf(path, sizeof path, "models/%s", e->d_name);
        Run r = SPNC_RUN("check", path);
        cr_expect(r.status == 0 && r.err[0] == '\0', "%s: %s", path, r.err);
        files++;
    }
    closedir(folder);
    cr_assert(files >= 7);
}

Test(errors, json_has_the_warnings_too)
{
    Run r = SPNC_RUN("check", "--json", "tests/errors/warn_dead.yaml");
    cr_expect(r.status == 0);
    cr_expect(strstr(r.err, "{\"severity\": \"warning\", \"path\": \"tests/errors/warn_dead.yaml\", \"line\": 8, ") == r.err, "%s", r.err);
}
