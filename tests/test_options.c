/* The tables of the command line and of the stages: every row is in --help and in `spnc words`, and is taken or refused where it should
 * be. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>

#include "options.h"
#include "pipeline.h"
#include "spnc_run.h"

TestSuite(options, .timeout = 600);

static char help[1 << 16], words[1 << 16];

static void read_both(void)
{
    strcpy(help, SPNC_RUN("--help").out);
    strcpy(words, SPNC_RUN("words").out);
}

/* The line of `text` that begins with `name` and then something that is no letter of a name; NULL if there is none. */
static const char *line_of(const char *text, const char *name)
{
    static char line[4096];
    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        size_t n = strlen(name);
        if (strncmp(p, name, n) || (p[n] != ' ' && p[n] != '\t' && p[n] != '\n'))
            continue;
        snprintf(line, sizeof line, "%.*s", (int)strcspn(p, "\n"), p);
        return line;
    }
    return NULL;
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strstr(list, word); p; p = strstr(p + 1, word))
        if (p > list && strchr(" \t", p[-1]) && strchr(" ,;:", p[n]))
            return true;
    return false;
}

Test(options, every_command_is_in_the_help_and_in_the_words, .init = read_both)
{
    for (int i = 0; i < command_count; i++) {
        char start[64];
        snprintf(start, sizeof start, "  spnc %s", commands[i].name);
        const char *line = line_of(help, start);
        cr_expect(line && strstr(line, commands[i].operands) && strstr(line, commands[i].help), "%s: %s", commands[i].name, line);
        line = line_of(words, commands[i].name);
        cr_expect(line && strstr(line, commands[i].operands), "%s: %s", commands[i].name, line);
        cr_expect((int)commands[i].kind == i, "the row of %s is not in the order of the kinds", commands[i].name);
    }
}

Test(options, every_option_is_in_the_help_and_in_the_words, .init = read_both)
{
    cr_expect(strstr(help, "\n  --version, --help\n") != NULL);
    for (int i = 0; i < option_count; i++) {
        const Option *o = &options[i];
        char start[64];
        snprintf(start, sizeof start, o->argument ? "  %s %s" : "  %s", o->name, o->argument);
        const char *line = line_of(help, start);
        cr_expect(!o->help || (line && strstr(line, o->help)), "%s in --help: %s", o->name, line);
        line = line_of(words, o->name);
        cr_expect(line && (!o->argument || strstr(line, o->argument)), "%s in words: %s", o->name, line);
        cr_expect(o->kind != WORD || (line && strstr(line, o->takes)), "%s in words: %s", o->name, line);
    }
}

Test(options, the_stages_that_can_be_printed_are_those_that_stage_takes, .init = read_both)
{
    const char *in_words = line_of(words, "--stage");
    cr_assert(in_words != NULL);
    char listed[256], said[4096];
    snprintf(listed, sizeof listed, "%s ", in_words);
    snprintf(said, sizeof said, "%s ", line_of(help, "  --stage NAME"));
    for (int i = 0; i < stage_count; i++) {
        bool printed = stages[i].print;
        cr_expect(has_word(listed, stages[i].name) == printed, "%s: %s", stages[i].name, listed);
        cr_expect(has_word(said, stages[i].name) || !printed, "%s: %s", stages[i].name, said);
        Run r = SPNC_RUN("check", "models/tiny.yaml", "--stage", stages[i].name);
        cr_expect(r.status == (printed ? 0 : 2) && !*r.out != printed, "--stage %s ends with %d: %s", stages[i].name, r.status, r.err);
    }
}

/* A value that the option takes; of several words the last: every processor can run that target. */
static const char *value(const Option *o)
{
    const char *last = o->kind == WORD ? strrchr(o->takes, ' ') : NULL;
    return o->kind == WORD ? last ? last + 1 : o->takes : o->kind == STAGE ? "plan" : o->kind == COUNT ? "3" : o->kind == SIZE ? "4G"
        : o->kind == SETTING ? "d=5" : "/nowhere/at/all";
}

enum { NONE = -1 };          /* no command */

/* The model is not there, so that a command which takes the option ends with 1 at once; those without a model print. */
Test(options, a_command_refuses_the_options_that_are_not_for_it)
{
    static const struct { const char *command, *option, *says; int but[2]; } refused[] = {             /* command NULL: all but these */
        { "tune", "--stage", "no --stage", { TUNE, TUNE } }, { "tune", "-o", "no -o", { TUNE, TUNE } },
        { "tune", "--debug", "no --debug", { TUNE, TUNE } }, { "tune", "--plain", "no --plain", { TUNE, TUNE } },
        { NULL, "--dot", "--dot is for spnc show", { SHOW, SHOW } }, { NULL, "--html", "--html is for spnc show", { SHOW, SHOW } },
        { NULL, "--scaling", "--scaling is for spnc show", { SHOW, SHOW } },
        { NULL, "--no-cache", "--no-cache is for spnc build and tune", { BUILD, TUNE } },
        { NULL, "--ranks", "--ranks ", { NONE, NONE } }, { NULL, "--network", "--network ", { NONE, NONE } },      /* alone */
        { "show", "--mpi", "--mpi is for spnc check, emit and build", { NONE, NONE } }, { "explain", "--mpi", "--mpi is for spnc check", { NONE, NONE } },
        { "tune", "--mpi", "--mpi is for spnc check", { NONE, NONE } }, { "ops", "--mpi", "--mpi is for spnc check", { NONE, NONE } },
        { "templates", "--mpi", "--mpi is for spnc check", { NONE, NONE } }, { "schema", "--mpi", "--mpi is for spnc check", { NONE, NONE } },
        { "words", "--mpi", "--mpi is for spnc check", { NONE, NONE } },
        { NULL, "--weights", "--weights is for ", { NONE, NONE } }, { NULL, "--outputs", "--outputs is for ", { NONE, NONE } },      /* alone */
        { NULL, "--form", "--form is for ", { NONE, NONE } }, { NULL, "--step", "--step is for ", { NONE, NONE } },
        { "show", "--for", "--for is for spnc check, emit and build", { NONE, NONE } }, { "explain", "--for", "--for is for spnc check", { NONE, NONE } },
        { "tune", "--for", "--for is for spnc check", { NONE, NONE } }, { "ops", "--for", "--for is for spnc check", { NONE, NONE } },
        { "templates", "--for", "--for is for spnc check", { NONE, NONE } }, { "schema", "--for", "--for is for spnc check", { NONE, NONE } },
        { "words", "--for", "--for is for spnc check", { NONE, NONE } },
    };
    for (int c = 0; c < command_count; c++)
        for (int i = 0; i < option_count; i++) {
            const char *argv[8] = { spnc_path(), commands[c].name }, *says = NULL;
            int n = 2;
            for (int k = 0; k < 2 && commands[c].needs[k]; k++)
                argv[n++] = k ? "layer" : "/nowhere/at/all.yaml";
            argv[n++] = options[i].name;
            if (options[i].argument)
                argv[n++] = value(&options[i]);
            for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
                if (!strcmp(refused[k].option, options[i].name) &&
                    (refused[k].command ? !strcmp(refused[k].command, commands[c].name)
                                        : (int)commands[c].kind != refused[k].but[0] && (int)commands[c].kind != refused[k].but[1]))
                    says = refused[k].says;
            Run r = run_program(argv, NULL);
            cr_expect((r.status == 2) == (says != NULL), "spnc %s %s ends with %d: %s", argv[1], options[i].name, r.status, r.err);
            cr_expect(!says || strstr(r.err, says), "spnc %s %s: %s", argv[1], options[i].name, r.err);
        }
}

Test(options, a_value_that_an_option_does_not_take_is_refused_by_its_name)
{
    for (int i = 0; i < option_count; i++) {
        const Option *o = &options[i];
        if (!o->argument)
            continue;
        Run r = SPNC_RUN("check", "/nowhere/at/all.yaml", o->name);
        cr_expect(r.status == 2 && strstr(r.err, o->name) && strstr(r.err, "needs a value"), "%s: %s", o->name, r.err);
        bool any = o->kind == TEXT && !o->takes;
        r = SPNC_RUN("check", "/nowhere/at/all.yaml", o->name, "");
        cr_expect(r.status == (any ? 1 : 2) && (any || strstr(r.err, o->name)), "%s: %s", o->name, r.err);
    }
}

Test(options, operands_are_counted)
{
    for (int c = 0; c < command_count; c++) {
        const Command *k = &commands[c];
        Run r = SPNC_RUN(k->name);
        cr_expect((r.status == 2) == (k->needs[0] != NULL) && (!k->needs[0] || strstr(r.err, k->needs[0])), "spnc %s: %s", k->name, r.err);
        r = SPNC_RUN(k->name, "/nowhere/a", "/nowhere/b", "/nowhere/c");
        cr_expect(r.status == 2 && strstr(r.err, "one model at a time"), "spnc %s: %s", k->name, r.err);
        if (!k->most) {
            r = SPNC_RUN(k->name, "model.yaml");
            cr_expect(r.status == 2 && strstr(r.err, "takes no model; what is 'model.yaml'?"), "spnc %s: %s", k->name, r.err);
        }
    }
}
