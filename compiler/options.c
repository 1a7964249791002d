/* options.c -- the command line of spnc.
 *
 * In: argv.  Out: Arguments, or a message and exit code 2.
 * One table of commands, one of options: parsing, --help, the words for completion and the errors come from these two, and from the
 * table of stages (pipeline.c).  Rules about several options together are in check().
 * The one convention: options may stand anywhere, and the first mistake ends the program. */
#include "options.h"
#include "files/text.h"
#include "files/version.h"
#include "pipeline.h"
#include "schedule/target.h"
#include "tell/show.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define A_MODEL "a model: a YAML file"

const Command commands[] = {
    { CHECK, "check", "MODEL.yaml", 1, { A_MODEL }, "", "", "every mistake, with its place" },
    { SHOW, "show", "MODEL.yaml", 1, { A_MODEL }, "", "",
      "shapes, parameters, multiply-adds, kernels, memory; as text, --json, --dot or --html" },
    { EXPLAIN, "explain", "MODEL.yaml NAME", 2, { A_MODEL, "a name: a layer, a value or a parameter" }, "", "",
      "what became of a layer, value or parameter, and why" },
    { EMIT, "emit", "MODEL.yaml -o DIR", 1, { A_MODEL }, "", "", "the C: NAME.c, the runtime it needs, a Makefile" },
    { BUILD, "build", "MODEL.yaml -o DIR", 1, { A_MODEL }, "", "", "the same, then compiled: DIR/NAME" },
    { TUNE, "tune", "MODEL.yaml", 1, { A_MODEL }, " --stage -o --debug --plain ",
      "tune is about the fast form, and writes MODEL.tuning or what --tuning names: no %s",
      "measures what is fastest on this machine, and keeps it in MODEL.tuning for build" },
    { OPS, "ops", "[NAME]", 1, { NULL }, "", "", "operators, losses, optimisers, schedules and initialisers, or the page of one" },
    { TEMPLATES, "templates", "[NAME]", 1, { NULL }, "", "",
      "the templates of the C, or one of them and the facts it may use; -o DIR copies it there" },
    { SCHEMA, "schema", "", 0, { NULL }, "", "", "a JSON Schema of the language, for editors" },
    { WORDS, "words", "", 0, { NULL }, "", "", "these commands and options, one a line with the words they can be, for completion" },
};

#define AT(field) offsetof(Arguments, field), 0
#define UP_TO(number, field) offsetof(Arguments, field), number
const Option options[] = {
    { "--set", "KEY=VALUE", SETTING, AT(options), "KEY=VALUE", NULL, "another value for a parameter of the model; may be given again" },
    { "-o", "DIR", TEXT, AT(out), "a folder", NULL,
      "folder to write to (default: generated/NAME); show: the file to write, or a folder for it" },
    { "--target", "T", WORD, AT(options.target), "avx512 avx2 neon generic portable native", NULL,
      "avx512, avx2, neon (aarch64), generic, native (default), or portable: inference, one library of avx512, avx2 and generic" },
    { "--batch", "N", COUNT, UP_TO(65536, options.batch), NULL, NULL, "examples in a batch, instead of the model's" },
    { "--precision", "P", WORD, AT(precision), "float double", NULL, "float (default) or double" },
    { "--plain", NULL, SWITCH, AT(options.plain), NULL, NULL, "textbook loops, one example at a time: to read and to step through" },
    { "--debug", NULL, SWITCH, AT(options.debug), NULL, NULL,
      "plain, -O0 -g3, every index checked, every tensor at a place of its own: for gdb" },
    { "--for", "WHAT", WORD, AT(purpose), "training inference python", "check, emit and build",
      "inference: the forward pass alone as a library, NAME.h and libNAME.a, without dependencies; python: a package too, for pip install" },
    { "--form", "F", WORD, AT(options.form), "lanes latency", "check, emit and build",
      "inference: lanes, sixteen examples side by side, or latency, one example at once (default: latency if the batch is below 8)" },
    { "--step", NULL, SWITCH, AT(options.step), NULL, "check, emit and build",
      "inference: of a recurrent net one step in each call, with its states as inputs and outputs" },
    { "--weights", "W", TEXT, AT(options.weights), "an .npz, a .safetensors, a run, or none", "emit and build",
      "inference: the weights that are compiled in; none (the default): given when the net is opened" },
    { "--outputs", "A,B", TEXT, AT(options.outputs), "names of the flow, with commas between", "check, emit and build",
      "inference: the values that the library returns (default: those of the model, or that its losses read)" },
    { "--mpi", NULL, SWITCH, AT(options.mpi), NULL, "check, emit and build",
      "for several processes, perhaps on several machines, that mpirun or srun starts: compiled by mpicc; the same bits" },
    { "--memory", "SIZE", SIZE, AT(options.memory), "a size such as 512M or 4G", NULL,
      "refuse a program that needs more, such as 4G (default 64G)" },
    { "--templates", "DIR", TEXT, AT(options.templates), NULL, NULL,
      "templates found here are used instead of the built-in ones, and operators described here (NAME.op.lua) are known" },
    { "--tuning", "FILE", TEXT, AT(tuning), "a file, or none", NULL,
      "what is fastest here (default: MODEL.tuning if there is one); none: by spnc's own rule.  Speed only, never bits" },
    { "--stage", "NAME", STAGE, AT(options.stage), NULL, NULL, "print what a stage left" },
    { "--force", NULL, SWITCH, AT(force), NULL, NULL,
      "write over files that were edited since spnc wrote them; they are kept as NAME.edited" },
    { "--no-cache", NULL, SWITCH, AT(no_cache), NULL, "build and tune",
      "build, tune: compile the trainer too, instead of taking its objects from ~/.cache/spnc" },
    { "--json", NULL, SWITCH, AT(json), NULL, NULL, "show and diagnostics as JSON" },
    { "--dot", NULL, SWITCH, AT(dot), NULL, "show", "show as a graph for Graphviz" },
    { "--html", NULL, SWITCH, AT(html), NULL, "show", "show as one page for a browser" },
    { "--scaling", NULL, SWITCH, AT(scaling), NULL, "show",
      "show what a training step gains from 1 to 64 threads, by a model of its phases; also with --json" },
    { "--ranks", "R,R,...", TEXT, AT(ranks), "numbers of processes, with commas between", "show",
      "with --scaling: bytes, messages and time of a step on so many processes of --mpi" },
    { "--network", "S,B", TEXT, AT(network), "two numbers, as 0.000005,1e9", "show",
      "with --ranks: seconds that a message takes, and bytes a second (default 0.000005,1e9)" },
    { "--version", NULL, SHOW_VERSION, 0, 0, NULL, NULL, NULL },
    { "--help", NULL, SHOW_HELP, 0, 0, NULL, NULL, NULL },
};
enum { COMMANDS = sizeof commands / sizeof *commands, OPTIONS = sizeof options / sizeof *options, WORDS_MAX = 32 };
const int command_count = COMMANDS, option_count = OPTIONS;

void usage_error(const char *format, ...)
{
    char text[4096], shown[TEXT_GROWS * sizeof text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "spnc: %s; see spnc --help\n", text_shown(shown, sizeof shown, text, ""));
    exit(2);
}

/* ---- help ------------------------------------------------------------------------------------------------------------ */

/* The words that the value of a WORD or a STAGE can be, which the next call overwrites.  Returns their number. */
static int words_of(const char *words[WORDS_MAX], const Option *o)
{
    static char text[256];
    int n = 0;
    if (o->kind == STAGE)
        for (int i = 0; i < stage_count; i++)
            if (stages[i].print)
                words[n++] = stages[i].name;
    if (o->kind == WORD) {
        snprintf(text, sizeof text, "%s", o->takes);
        for (char *word = strtok(text, " "); word && n < WORDS_MAX; word = strtok(NULL, " "))
            words[n++] = word;
    }
    return n;
}

/* "graph, steps or plan; identity: what it is": those that are named alone, then those of which more is said. */
static void print_stages(FILE *out)
{
    int left = 0;
    for (int i = 0; i < stage_count; i++)
        left += stages[i].print && !stages[i].says;
    for (int i = 0; i < stage_count; i++)
        if (stages[i].print && !stages[i].says)
            left--, fprintf(out, "%s%s", stages[i].name, left > 1 ? ", " : left ? " or " : "");
    for (int i = 0; i < stage_count; i++)
        if (stages[i].print && stages[i].says)
            fprintf(out, "; %s: %s", stages[i].name, stages[i].says);
}

static void print_help(FILE *out)
{
    fprintf(out, "spnc -- compiles a YAML description of a neural network into C that trains it\n\n");
    for (const Command *c = commands; c < commands + COMMANDS; c++) {
        char left[64];                                  /* models stand in one column */
        snprintf(left, sizeof left, c->needs[0] ? "%-5s %s" : "%s %s", c->name, c->operands);
        fprintf(out, "  spnc %-24s %s\n", left, c->help);
    }
    fprintf(out, "\n");
    const char *between = "  ";
    for (const Option *o = options; o < options + OPTIONS; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", o->name, o->argument ? o->argument : "");
        if (!o->help) {
            fprintf(out, "%s%s", between, o->name);
            between = ", ";
            continue;
        }
        fprintf(out, "  %-22s %s", left, o->help);
        if (o->kind == STAGE) {
            fprintf(out, ": ");
            print_stages(out);
        }
        fprintf(out, "\n");
    }
    fprintf(out, "\n\n"
            "Exit codes: 0 fine; 1 the model is wrong; 2 wrong usage; 70 a bug in spnc; 74 the environment (disk, memory, compiler).\n");
}

void words_print(FILE *out)
{
    for (const Command *c = commands; c < commands + COMMANDS; c++)
        fprintf(out, "%s\t%s\t\n", c->name, c->operands);
    for (const Option *o = options; o < options + OPTIONS; o++) {
        const char *words[WORDS_MAX];
        int n = words_of(words, o);
        fprintf(out, "%s\t%s\t", o->name, o->argument ? o->argument : "");
        for (int i = 0; i < n; i++)
            fprintf(out, "%s%s", i ? " " : "", words[i]);
        fprintf(out, "\n");
    }
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* "512M", "4G", "123456": bytes; 0 if it is none of these. */
static int64_t size_value(const char *s)
{
    char *end;
    errno = 0;
    double v = strtod(s, &end);
    if (end == s || errno || !(v > 0) || v > 1e15)
        return 0;
    switch (*end) {
    case 'k': case 'K': v *= 1024, end++; break;
    case 'm': case 'M': v *= 1048576, end++; break;
    case 'g': case 'G': v *= 1073741824, end++; break;
    default: break;
    }
    if (*end == 'i')
        end++;
    if (*end == 'B')
        end++;
    return *end ? 0 : (int64_t)v;
}

static void one_of(const char *what, const char *value, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(words[i], value) == 0)
            return;
    usage_error("%s cannot be '%s'%s", what, value, diag_suggestion(arena_new(), value, words, n));
}

static void store(Arguments *a, const Option *o, const char *value)
{
    void *at = (char *)a + o->at;
    const char *words[WORDS_MAX];
    char *end;
    switch (o->kind) {
    case SWITCH: *(bool *)at = true; break;
    case TEXT:
        if (!*value && o->takes)
            usage_error("%s takes %s, not '%s'", o->name, o->takes, value);
        *(const char **)at = value;
        break;
    case WORD:
    case STAGE:
        one_of(o->name, value, words, words_of(words, o));
        *(const char **)at = value;
        break;
    case COUNT: {
        long n = strtol(value, &end, 10);
        if (*end || n < 1 || n > o->most)
            usage_error("%s takes a whole number from 1 to %lld, not '%s'", o->name, (long long)o->most, value);
        *(int64_t *)at = n;
        break;
    }
    case SIZE:
        if (!(*(int64_t *)at = size_value(value)))
            usage_error("%s takes %s, not '%s'", o->name, o->takes, value);
        break;
    case SETTING: {
        Options *model = at;
        if (!strchr(value, '=') || *value == '=')
            usage_error("%s takes %s, not '%s'", o->name, o->takes, value);
        if (model->set_count == SETS_MAX)
            usage_error("%s is given too often", o->name);
        model->sets[model->set_count++] = value;
        break;
    }
    case SHOW_VERSION:
        puts("spnc " SPN_VERSION);
        exit(0);
    case SHOW_HELP:
        print_help(stdout);
        exit(0);
    }
}

static const char *native_target(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "avx2";
#elif defined __aarch64__ && defined __ARM_NEON
    return "neon";
#endif
    return "generic";
}

static bool runs_here(const char *target)
{
    const char *native = native_target();
    return !strcmp(target, native) || !strcmp(target, "generic") || (!strcmp(target, "avx2") && !strcmp(native, "avx512"));
}

/* The compiler of this machine compiles for the target: another one, of CC, may for any. */
static bool compiles_here(const char *target)
{
#if defined(__x86_64__) || defined(__i386__)
    return getenv("CC") || strcmp(target, "neon") != 0;
#elif defined __aarch64__
    return getenv("CC") || strncmp(target, "avx", 3) != 0;
#else
    return true;
#endif
}

/* ---- parsing --------------------------------------------------------------------------------------------------------- */

/* True if it is a word of the text. */
static bool is_among(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' ' || at[n] == ','))
            return true;
    return false;
}

/* "1,2,64"; "0.000005,1e9" */
static bool is_ranks(const char *text)
{
    for (int n = 0; n < RANKS_MOST; n++) {
        char *end = NULL;
        const long ranks = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
        if (ranks < 1 || ranks > 4096)
            return false;
        if (!*end)
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
    return false;
}

static bool is_network(const char *text)
{
    double latency, bandwidth;
    char rest;
    return sscanf(text, "%lf,%lf%c", &latency, &bandwidth, &rest) == 2 && latency >= 0 && latency < 1e9 && bandwidth > 0 && bandwidth < 1e18;
}

/* Checks the command's operands and options, alone and together; reports the first error. */
static void check(const Arguments *a, const bool given[OPTIONS])
{
    const Command *c = a->command;
    const char *const operands[] = { a->path, a->name };
    if (a->path && !c->most)
        usage_error("%s takes no model; what is '%s'?", c->name, a->path);
    for (int i = 0; i < 2; i++)
        if (c->needs[i] && !operands[i])
            usage_error("%s needs %s", c->name, c->needs[i]);
    for (const char *p = c->refuses + strspn(c->refuses, " "); *p; p += strcspn(p, " "), p += strspn(p, " "))
        for (int i = 0; i < OPTIONS; i++)
            if (given[i] && strlen(options[i].name) == strcspn(p, " ") && !strncmp(options[i].name, p, strcspn(p, " ")))
                usage_error(c->why, options[i].name);
    if (c->kind == TUNE) {
        if (a->tuning && !strcmp(a->tuning, "none"))
            usage_error("tune writes what it finds: --tuning cannot be %s", a->tuning);
        if (strcmp(a->options.target, "native") && !runs_here(a->options.target))
            usage_error("this processor cannot run %s, so there is nothing to measure", a->options.target);
    }
    for (int i = 0; i < OPTIONS; i++)
        if (given[i] && options[i].only && !is_among(options[i].only, c->name))
            usage_error("%s is for spnc %s", options[i].name, options[i].only);
    if (!a->options.inference && (a->options.weights || a->options.outputs || a->options.form || a->options.step))
        usage_error("%s is for --for inference", a->options.weights   ? "--weights"
                                                 : a->options.outputs ? "--outputs"
                                                 : a->options.form    ? "--form"
                                                                      : "--step");
    if (!a->options.inference && !strcmp(a->options.target, "portable"))
        usage_error("--target portable is for --for inference: a trainer is built for one target");
    if (c->kind == BUILD && !compiles_here(a->options.target))
        usage_error("the C compiler of this machine does not compile for %s: `spnc emit` writes the folder, and a cross compiler builds it there, make CC=%s",
                    a->options.target, !strcmp(a->options.target, "neon") ? "aarch64-linux-gnu-gcc" : "x86_64-linux-gnu-gcc");
    if (a->options.form && a->options.plain)
        usage_error("--plain is a form of its own: leave out --form %s", a->options.form);
    if (a->options.inference && a->options.debug)
        usage_error("--debug is for training: --for %s does not take it", a->purpose);
    if (a->options.mpi && (a->options.plain || a->options.inference))
        usage_error("--mpi is for training in the fast form: leave out %s", a->options.inference ? "--for"
                                                                            : a->options.debug   ? "--debug"
                                                                                                 : "--plain");
    if (a->json + a->dot + a->html > 1 || (a->scaling && (a->dot || a->html)))
        usage_error("%s: take one of --json, --dot and --html, and --scaling alone or with --json", c->name);
    if ((a->ranks && (!a->scaling || a->json)) || (a->network && !a->ranks))
        usage_error("%s", a->ranks ? "--ranks goes with --scaling, without --json" : "--network goes with --ranks");
    if (a->ranks && !is_ranks(a->ranks))
        usage_error("--ranks takes numbers of processes from 1 to 4096, with commas between, not '%s'", a->ranks);
    if (a->network && !is_network(a->network))
        usage_error("--network takes seconds a message and bytes a second, as 0.000005,1e9, not '%s'", a->network);
    if (a->scaling && a->options.plain)
        usage_error("--scaling: the plain form runs on one thread");
}

static const Command *command_named(const char *name)
{
    for (int i = 0; name && i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int option_named(const char *name)
{
    const char *names[OPTIONS];
    for (int i = 0; i < OPTIONS; i++) {
        names[i] = options[i].name;
        if (!strcmp(names[i], name) || (options[i].kind == SHOW_HELP && !strcmp(name, "-h")))
            return i;
    }
    usage_error("unknown option '%s'%s", name, diag_suggestion(arena_new(), name, names, OPTIONS));
}

Arguments arguments(int argc, char **argv)
{
    Arguments a = { .options = { .target = "native", .memory = (int64_t)64 << 30 } };
    bool given[OPTIONS] = { false };
    const char *said = NULL, *names[COMMANDS];
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            const Command *c = command_named(said);
            if (!said)
                said = argv[i];
            else if (!a.path)
                a.path = argv[i];
            else if (c && c->most > 1 && !a.name)
                a.name = argv[i];
            else
                usage_error("one model at a time; what is '%s'?", argv[i]);
            continue;
        }
        int k = option_named(argv[i]);
        if (options[k].argument && i + 1 >= argc)
            usage_error("%s needs a value", argv[i]);
        store(&a, &options[k], options[k].argument ? argv[++i] : NULL);
        given[k] = true;
    }
    if (!said) {
        print_help(stderr);
        exit(2);
    }
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    one_of("the command", said, names, COMMANDS);
    a.command = command_named(said);
    a.options.plain |= a.options.debug;
    a.options.python = a.purpose && strcmp(a.purpose, "python") == 0;
    a.options.inference = a.options.python || (a.purpose && strcmp(a.purpose, "inference") == 0);
    a.options.is_double = a.precision && *a.precision == 'd';
    check(&a, given);
    a.network = a.network ? a.network : "0.000005,1e9";
    if (!strcmp(a.options.target, "native"))
        a.options.target = native_target();
    a.options.portable = !strcmp(a.options.target, "portable");
    if (a.options.portable)
        a.options.target = portable_bodies[0];
    if (a.options.weights && strcmp(a.options.weights, "none") == 0)
        a.options.weights = NULL;
    return a;
}
