/* main.c -- the command line: options, then the pipeline, one call a stage, then what the command asks of the result.
 *
 * Nothing is written before the whole model has been accepted; folder.c writes.  `build` runs make in the folder it wrote: the same as its user would. */
#define _GNU_SOURCE
#include "base/child.h"
#include "base/diag.h"
#include "base/embed.h"
#include "base/folder.h"
#include "emit/program.h"
#include "manual/manual.h"
#include "outside/outside.h"
#include "tell/show.h"
#include "template/template.h"
#include "template/tuning.h"
#include "tune/tune.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION "0.1.0"

static const char usage_text[] =
    "spnc -- compiles a YAML description of a neural network into C that trains it\n"
    "\n"
    "  spnc check MODEL.yaml        every mistake, with its place\n"
    "  spnc show  MODEL.yaml        shapes, parameters, multiply-adds, kernels, memory; as text, --json, --dot or --html\n"
    "  spnc explain MODEL.yaml NAME what became of a layer, value or parameter, and why\n"
    "  spnc emit  MODEL.yaml -o DIR the C: NAME.c, the runtime it needs, a Makefile\n"
    "  spnc build MODEL.yaml -o DIR the same, then compiled: DIR/NAME\n"
    "  spnc tune  MODEL.yaml        measures what is fastest on this machine, and keeps it in MODEL.tuning for build\n"
    "  spnc ops [NAME]              operators, losses, optimisers and initialisers, or the page of one\n"
    "  spnc templates [NAME]        the templates of the C, or one of them and the facts it may use; -o DIR copies it there\n"
    "  spnc schema                  a JSON Schema of the language, for editors\n"
    "\n"
    "  --set KEY=VALUE        another value for a parameter of the model; may be given again\n"
    "  -o DIR                 folder to write to (default: generated/NAME); show: the file to write, or a folder for it\n"
    "  --target T             avx512, avx2, generic or native (default: native)\n"
    "  --batch N              examples in a batch, instead of the model's\n"
    "  --precision P          float (default) or double\n"
    "  --plain                textbook loops, one example at a time: to read and to step through\n"
    "  --debug                plain, -O0 -g3, every index checked, every tensor at a place of its own: for gdb\n"
    "  --memory SIZE          refuse a program that needs more, such as 4G (default 64G)\n"
    "  --templates DIR        templates found here are used instead of the built-in ones, and operators described here (NAME.op.lua) are known\n"
    "  --tuning FILE          what is fastest here (default: MODEL.tuning if there is one); none: by spnc's own rule.  Speed only, never bits\n"
    "  --stage NAME           print what a stage left: graph, steps, grad, fuse or plan; identity: what the model hash is made of\n"
    "  --force                write over files that were edited since spnc wrote them; they are kept as NAME.edited\n"
    "  --json                 show and diagnostics as JSON\n"
    "  --dot                  show as a graph for Graphviz\n"
    "  --html                 show as one page for a browser\n"
    "  --scaling              show what a training step gains from 1 to 64 threads, by a model of its phases; also with --json\n"
    "  --version, --help\n"
    "\n"
    "Exit codes: 0 fine; 1 the model is wrong; 2 wrong usage; 70 a bug in spnc; 74 the environment (disk, memory, compiler).\n";

typedef struct {
    const char *command, *path, *name, *out, *stage, *tuning;
    const char *sets[256];
    int set_count;
    bool json, dot, html, scaling, force;
    Options options;
} Arguments;

static _Noreturn void usage_error(const char *format, const char *what)
{
    fprintf(stderr, "spnc: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "; see spnc --help\n");
    exit(2);
}

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

static const char *native_target(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "avx2";
#endif
    return "generic";
}

static bool runs_here(const char *target)
{
    const char *native = native_target();
    return !strcmp(target, native) || !strcmp(target, "generic") || (!strcmp(target, "avx2") && !strcmp(native, "avx512"));
}

static void one_of(const char *option, const char *value, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(words[i], value) == 0)
            return;
    const char *near = diag_nearest(value, words, n);
    fprintf(stderr, "spnc: %s cannot be '%s'%s%s%s; see spnc --help\n", option, value, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    exit(2);
}

static bool needs_no_model(const Arguments *a) { return !strcmp(a->command, "schema") || !strcmp(a->command, "ops") || !strcmp(a->command, "templates"); }

static Arguments arguments(int argc, char **argv)
{
    static const char *const commands[] = { "check", "show", "explain", "emit", "build", "tune", "schema", "ops", "templates" };
    static const char *const targets[] = { "avx512", "avx2", "generic", "native" };
    static const char *const stages[] = { "graph", "steps", "grad", "fuse", "plan", "identity" };
    static const char *const known[] = { "--set", "-o", "--target", "--batch", "--precision", "--plain", "--debug", "--memory", "--templates", "--tuning", "--stage",
                                         "--json", "--dot", "--html", "--scaling", "--force", "--help", "--version" };
    Arguments a = { .options = { .target = "native", .memory = (int64_t)64 << 30 } };
    for (int i = 1; i < argc; i++) {
        const char *s = argv[i];
        if (!strcmp(s, "--help") || !strcmp(s, "-h")) {
            fputs(usage_text, stdout);
            exit(0);
        }
        if (!strcmp(s, "--version")) {
            puts("spnc " VERSION);
            exit(0);
        }
        if (s[0] != '-' || !s[1]) {
            if (!a.command)
                a.command = s;
            else if (!a.path)
                a.path = s;
            else if (!strcmp(a.command, "explain") && !a.name)
                a.name = s;
            else
                usage_error("one model at a time; what is '%s'?", s);
            continue;
        }
        if (!strcmp(s, "--plain")) {
            a.options.plain = true;
            continue;
        }
        if (!strcmp(s, "--force")) {
            a.force = true;
            continue;
        }
        if (!strcmp(s, "--debug")) {
            a.options.plain = a.options.debug = true;
            continue;
        }
        if (!strcmp(s, "--dot")) {
            a.dot = true;
            continue;
        }
        if (!strcmp(s, "--html")) {
            a.html = true;
            continue;
        }
        if (!strcmp(s, "--scaling")) {
            a.scaling = true;
            continue;
        }
        if (!strcmp(s, "--json")) {
            a.json = true;
            continue;
        }
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            found = found || !strcmp(s, known[k]);
        if (!found) {
            const char *near = diag_nearest(s, known, sizeof known / sizeof *known);
            fprintf(stderr, "spnc: unknown option '%s'%s%s%s; see spnc --help\n", s, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
            exit(2);
        }
        if (i + 1 >= argc)
            usage_error("%s needs a value", s);
        const char *v = argv[++i];
        if (!strcmp(s, "--set")) {
            if (!strchr(v, '=') || *v == '=')
                usage_error("--set takes KEY=VALUE, not '%s'", v);
            if (a.set_count == 256)
                usage_error("%s is given too often", s);
            a.sets[a.set_count++] = v;
        } else if (!strcmp(s, "-o")) {
            if (!*v)
                usage_error("-o takes a folder, not '%s'", v);
            a.out = v;
        } else if (!strcmp(s, "--target")) {
            one_of(s, v, targets, 4);
            a.options.target = v;
        } else if (!strcmp(s, "--batch")) {
            char *end;
            long n = strtol(v, &end, 10);
            if (*end || n < 1 || n > 65536)
                usage_error("--batch takes a whole number from 1 to 65536, not '%s'", v);
            a.options.batch = n;
        } else if (!strcmp(s, "--precision")) {
            one_of(s, v, (const char *const[]){ "float", "double" }, 2);
            a.options.is_double = v[0] == 'd';
        } else if (!strcmp(s, "--memory")) {
            if (!(a.options.memory = size_value(v)))
                usage_error("--memory takes a size such as 512M or 4G, not '%s'", v);
        } else if (!strcmp(s, "--templates")) {
            a.options.templates = v;
        } else if (!strcmp(s, "--tuning")) {
            if (!*v)
                usage_error("--tuning takes a file, or none, not '%s'", v);
            a.tuning = v;
        } else {
            one_of(s, v, stages, sizeof stages / sizeof *stages);
            a.stage = v;
        }
    }
    if (!a.command) {
        fputs(usage_text, stderr);
        exit(2);
    }
    one_of("the command", a.command, commands, sizeof commands / sizeof *commands);
    if (!strcmp(a.command, "schema") && a.path)
        usage_error("schema takes no model; what is '%s'?", a.path);
    if (!a.path && !needs_no_model(&a))
        usage_error("%s needs a model: a YAML file", a.command);
    if (!strcmp(a.command, "explain") && !a.name)
        usage_error("%s needs a name: a layer, a value or a parameter", a.command);
    if (!strcmp(a.command, "tune")) {
        if (a.options.plain || a.stage || a.out)
            usage_error("tune is about the fast form, and writes MODEL.tuning or what --tuning names: no %s", a.stage ? "--stage" : a.out ? "-o" : a.options.debug ? "--debug" : "--plain");
        if (a.tuning && !strcmp(a.tuning, "none"))
            usage_error("tune writes what it finds: --tuning cannot be %s", "none");
        if (strcmp(a.options.target, "native") && !runs_here(a.options.target))
            usage_error("this processor cannot run %s, so there is nothing to measure", a.options.target);
    }
    if ((a.dot || a.html || a.scaling) && strcmp(a.command, "show") != 0)
        usage_error("%s is for spnc show", a.dot ? "--dot" : a.html ? "--html" : "--scaling");
    if (a.json + a.dot + a.html > 1 || (a.scaling && (a.dot || a.html)))
        usage_error("%s: take one of --json, --dot and --html, and --scaling alone or with --json", a.command);
    if (a.scaling && a.options.plain)
        usage_error("%s: the plain form runs on one thread", "--scaling");
    if (!strcmp(a.options.target, "native"))
        a.options.target = native_target();
    return a;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static _Noreturn void environment(const char *path, const char *what)
{
    fprintf(stderr, "spnc: %s: %s: %s\n", path, what, strerror(errno));
    exit(74);
}

static void on_signal(int number)
{
    folder_interrupted();
    child_stop();
    tune_interrupted();
    _exit(128 + number);
}

static bool write_folder(Model *m, const char *folder, bool force, const Text *c, const Text *makefile)
{
    const List sources = program_files(m->arena, c->text);
    FolderFile *files = NEW_ARRAY(m->arena, FolderFile, sources.count + 4);
    Text map = { .arena = m->arena };
    map_write(&map, deck_new(m, c));
    int n = 0;
    for (int i = 0; i < sources.count; i++) {
        const EmbeddedFile *f = sources.items[i];
        files[n++] = (FolderFile){ f->name, f->bytes, f->size };
    }
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s-gdb.py", m->name), m->gdb.text, m->gdb.length };
    files[n++] = (FolderFile){ "Makefile", makefile->text, makefile->length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.c", m->name), c->text, c->length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.map.json", m->name), map.text, map.length };
    return folder_write(m->arena, m->diag, folder, files, n, force);
}

/* What show and explain say, to the standard output or to -o: a file, or a folder for NAME.txt, .json, .dot or .html. */
static bool tell(Model *m, const Arguments *a, const Text *c)
{
    const Deck *d = deck_new(m, c);
    Text said = { .arena = m->arena };
    bool explained = !strcmp(a->command, "explain"), good = true;
    if (explained)
        good = explain(&said, d, a->name);
    else if (a->scaling)
        (a->json ? scaling_json : scaling_text)(&said, d);
    else if (a->html)
        good = show_html(&said, d);
    else
        (a->json ? show_json : a->dot ? show_dot : show_text)(&said, d);
    if (good && a->out) {
        struct stat model, out;
        bool there = stat(a->out, &out) == 0;
        const char *ending = explained ? "txt" : a->html ? "html" : a->json ? "json" : a->dot ? "dot" : "txt";
        const char *path = there && S_ISDIR(out.st_mode) ? arena_printf(m->arena, "%s/%s.%s", a->out, m->name, ending) : a->out;
        if (stat(path, &out) == 0 && stat(m->path, &model) == 0 && out.st_dev == model.st_dev && out.st_ino == model.st_ino)
            usage_error("-o %s is the model itself", path);
        file_write(m->arena, path, said.text, said.length);
    } else if (good) {
        fwrite(said.text, 1, said.length, stdout);
    }
    return good;
}

/* ---- the pipeline ---------------------------------------------------------------------------------------------------- */

/* After shapes that do not fit: a value of one parameter, near its own, with which all of them do.  Those that --set gave come first. */
static void suggest(const Model *m, const Yaml *root, const Arguments *a)
{
    const char *sets[sizeof a->sets / sizeof *a->sets + 1];
    memcpy(sets, a->sets, sizeof a->sets);
    FILE *nowhere = fopen("/dev/null", "w");
    int trials = 40000 / (m->ops.count + 1);            /* a large net is not built a hundred times over */
    for (int i = 0; nowhere && i < 2 * m->scope.count; i++) {
        const Param *p = &m->scope.params[i % m->scope.count];
        if (p->set != (i < m->scope.count) || !p->reads || p->value.kind != VALUE_INT)
            continue;
        for (int k = 0; k < 80 && trials > 0; k++, trials--) {      /* d-1, d+1, d-2, d+2, ... */
            int64_t v = p->value.i + (k % 2 ? 1 : -1) * (k / 2 + 1);
            Arena *arena = arena_new();
            sets[a->set_count] = arena_printf(arena, "%s=%lld", p->name, (long long)v);
            Model trial = { .arena = arena, .diag = diag_new(arena, nowhere, false, false), .options = m->options, .path = m->path };
            bool fits = v >= 1 && model_build(&trial, root, sets, a->set_count + 1) && shape_infer(&trial);
            arena_free(arena);
            if (fits) {
                if (p->set)
                    diag_note(m->diag, (Loc){ 0 }, "%s=%lld would fit", p->name, (long long)v);
                else
                    diag_note(m->diag, p->loc, "%s: %lld would fit", p->name, (long long)v);
                fclose(nowhere);
                return;
            }
        }
    }
    if (nowhere)
        fclose(nowhere);
}

static bool compile(Model *m, const Arguments *a, Text *c, Text *makefile)
{
    const Yaml *root = read_file(m->arena, m->diag, a->path);
    if (!root)
        return false;
    m->yaml = diag_text(m->diag)->text;
    bool good = model_build(m, root, a->sets, a->set_count), shapes = shape_infer(m);
    if (good && !shapes)
        suggest(m, root, a);
    good = good && shapes;
    if (good && a->stage && !strcmp(a->stage, "graph"))
        stage_print(m, "graph", stdout);
    good = good && steps_split(m);
    if (good && a->stage && !strcmp(a->stage, "steps"))
        stage_print(m, "steps", stdout);
    good = good && grad_build(m);
    if (good)
        warn(m);
    if (good && a->stage && !strcmp(a->stage, "grad"))
        stage_print(m, "grad", stdout);
    if (good)
        fuse(m);
    if (good && a->stage && !strcmp(a->stage, "fuse"))
        stage_print(m, "fuse", stdout);
    if (good)
        kernels_choose(m);
    if (good && a->stage && !strcmp(a->stage, "identity"))
        stage_print(m, "identity", stdout);
    good = good && plan(m);
    if (good && a->stage && !strcmp(a->stage, "plan"))
        stage_print(m, "plan", stdout);
    return good && emit(m, c, makefile);
}

/* ---- tuning --------------------------------------------------------------------------------------------------------- */

/* MODEL.tuning beside MODEL.yaml. */
static const char *tuning_path(Arena *arena, const Arguments *a)
{
    if (a->tuning)
        return a->tuning;
    size_t n = strlen(a->path);
    int ending = n > 5 && !strcmp(a->path + n - 5, ".yaml") ? 5 : n > 4 && !strcmp(a->path + n - 4, ".yml") ? 4 : 0;
    return arena_printf(arena, "%.*s.tuning", (int)n - ending, a->path);
}

/* For tune(): the arguments. */
static bool build_trial(void *user, Tuning *t, const char *folder)
{
    const Arguments *a = user;
    Arena *arena = arena_new();
    FILE *nowhere = fopen("/dev/null", "w");              /* what is wrong was said the first time */
    Model m = { .arena = arena, .diag = diag_new(arena, nowhere ? nowhere : stderr, false, false), .options = a->options, .path = a->path, .tuning = t };
    Text c = { .arena = arena }, makefile = { .arena = arena };
    bool good = compile(&m, a, &c, &makefile) && diag_errors(m.diag) == 0;
    if (good && folder)
        good = write_folder(&m, folder, true, &c, &makefile);
    arena_free(arena);
    if (nowhere)
        fclose(nowhere);
    return good;
}

static int tune_model(const Model *m, Arguments *a)
{
    const char *path = tuning_path(m->arena, a), *processor = processor_name(m->arena);
    Tuning *t = tuning_new(m->arena, processor, VERSION), *file = tuning_new(m->arena, processor, VERSION);
    int status = tune(m->arena, t, m->name, build_trial, a);
    if (status)
        return status;
    tuning_read(file, path, false);                       /* what it holds about other shapes stays */
    int found = tuning_merge(file, t);
    Text text = { .arena = m->arena };
    tuning_write(file, &text);
    file_write(m->arena, path, text.text, text.length);
    printf("%s: %d answer%s for this model, %d in all; spnc build reads it\n", path, found, found == 1 ? "" : "s", tuning_answers(file));
    return 0;
}

/* `status`, or 74 if what was printed has not arrived. */
static int written(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "spnc: cannot write to the standard output: %s\n", strerror(errno));
    return 74;
}

/* A built-in template, copied into a user's folder to begin with; one that is there already stays. */
static int copy_template(Arena *arena, const char *file, const char *folder)
{
    Source source;
    const char *path = arena_printf(arena, "%s/%s", folder, file);
    if (template_load(arena, NULL, file, &source)) {
        fprintf(stderr, "spnc: %s is no template of spnc's own, which could be copied\n", file);
        return 2;
    }
    if (mkdir(folder, 0777) && errno != EEXIST)
        environment(folder, "cannot be made");
    if (access(path, F_OK) == 0) {
        fprintf(stderr, "spnc: %s is there already, and stays as it is\n", path);
        return 1;
    }
    file_write(arena, path, source.text, source.length);
    return 0;
}

static int templates(const Arguments *a, Arena *arena)
{
    const char *near = NULL, *file = a->path ? template_named(arena, a->path, &near) : NULL;
    int status = 0;
    if (a->path && !file) {
        fprintf(stderr, "spnc: there is no template '%s'%s%s%s; see spnc templates\n", a->path, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        status = 2;
    } else if (file && a->out) {
        status = copy_template(arena, file, a->out);
    } else {
        templates_print(arena, stdout, a->options.templates, file);
    }
    return written(status);
}

static int reference(const Arguments *a, Arena *arena)
{
    const char *near = NULL;
    if (!strcmp(a->command, "templates"))
        return templates(a, arena);
    if (!strcmp(a->command, "schema"))
        schema_print(stdout);
    else if (!ops_print(stdout, a->path, &near)) {
        fprintf(stderr, "spnc: nothing in the language is called '%s'%s%s%s; see spnc ops\n", a->path, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return 2;
    }
    return written(0);
}

int main(int argc, char **argv)
{
    ops_register();
    Arguments a = arguments(argc, argv);
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    for (int i = 0; i < 3; i++)
        signal(signals[i], on_signal);
    Arena *arena = arena_new();
    Diag *diag = diag_new(arena, stderr, a.json, !a.json && isatty(2) && !getenv("NO_COLOR"));
    bool outside = outside_read(arena, diag, a.options.templates);
    if (needs_no_model(&a)) {
        int status = outside ? reference(&a, arena) : 1;
        arena_free(arena);
        return status;
    }
    Model m = { .arena = arena, .diag = diag, .options = a.options, .path = a.path };
    m.tuning = tuning_new(arena, processor_name(arena), VERSION);
    if (strcmp(a.command, "tune") && !a.options.plain && !(a.tuning && !strcmp(a.tuning, "none")))
        tuning_read(m.tuning, tuning_path(arena, &a), a.tuning != NULL);
    Text c = { .arena = arena }, makefile = { .arena = arena };
    int status = outside && compile(&m, &a, &c, &makefile) && diag_errors(diag) == 0 ? 0 : 1;
    if (status == 0 && !a.stage) {
        if ((!strcmp(a.command, "show") || !strcmp(a.command, "explain")) && !tell(&m, &a, &c))
            status = 1;
        if (!strcmp(a.command, "tune"))
            status = tune_model(&m, &a);
        if (!strcmp(a.command, "emit") || !strcmp(a.command, "build")) {
            const char *folder = a.out ? a.out : arena_printf(arena, "generated/%s", m.name);
            if (!write_folder(&m, folder, a.force, &c, &makefile))
                status = 1;
            else if (!strcmp(a.command, "build"))
                status = child_make(arena, folder, m.name);
        }
    }
    arena_free(arena);
    return written(status);
}
