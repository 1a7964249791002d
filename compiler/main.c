/* main.c -- the commands: from a model to a folder of C, a program, a page about it, measurements, or nothing.
 *
 * In: the command line (options.c), and the model that the pipeline (pipeline.c) leaves.  Out: files, or text on the standard output.
 * Nothing is written before the whole model has been accepted; folder.c writes.  `build` runs make in the folder it wrote: the same as its user
 * would. */
#define _GNU_SOURCE
#include "base/cache.h"
#include "base/child.h"
#include "base/embed.h"
#include "base/folder.h"
#include "emit/library.h"
#include "emit/program.h"
#include "files/descriptors.h"
#include "files/text.h"
#include "files/version.h"
#include "library/weights.h"
#include "manual/manual.h"
#include "options.h"
#include "outside/outside.h"
#include "pipeline.h"
#include "schedule/target.h"
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

static bool write_folder(Model *m, const char *folder, bool force)
{
    const List sources = program_files(m);
    FolderFile *files = NEW_ARRAY(m->arena, FolderFile, sources.count + 8);
    Text map = { .arena = m->arena };
    map_write(&map, deck_new(m, &m->c));
    int n = 0;
    for (int i = 0; i < sources.count; i++) {
        const EmbeddedFile *f = sources.items[i];
        files[n++] = (FolderFile){ f->name, f->bytes, f->size };
    }
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s-gdb.py", m->name), m->gdb.text, m->gdb.length };
    files[n++] = (FolderFile){ "Makefile", m->makefile.text, m->makefile.length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s-train.c", m->name), m->training.text, m->training.length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s_inspect.c", m->name), m->inspect.text, m->inspect.length };
    if (m->start.length)
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s_start.c", m->name), m->start.text, m->start.length };
    if (m->start_numbers.length)
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s.start", m->name), m->start_numbers.text, m->start_numbers.length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.c", m->name), m->c.text, m->c.length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.map.json", m->name), map.text, map.length };
    return folder_write(m->arena, m->diag, folder, files, n, force);
}

/* The model once more, for another target; NULL after an error, which is said to `d`. */
static Model *compile_for(const Model *m, const char *target, Diag *d)
{
    Model *body = NEW(m->arena, Model);
    *body = (Model){ .arena = m->arena, .diag = d, .options = m->options, .path = m->path, .tuning = m->tuning };
    body->options.target = target;
    return compile(body) && diag_errors(d) == 0 ? body : NULL;
}

/* The bodies of a portable library, m the first, and what stands around them.  False after an error. */
static bool compile_bodies(Model *m, Model *bodies[PORTABLE_BODIES])
{
    FILE *nowhere = fopen("/dev/null", "w");              /* warnings were printed the first time */
    bodies[0] = m;
    for (int i = 1; i < PORTABLE_BODIES && bodies[i - 1]; i++) {
        bodies[i] = nowhere ? compile_for(m, portable_bodies[i], diag_new(m->arena, nowhere, false, false)) : NULL;
        if (!bodies[i])
            bodies[i] = compile_for(m, portable_bodies[i], m->diag);
    }
    if (nowhere)
        fclose(nowhere);
    return bodies[PORTABLE_BODIES - 1] && library_front(m, bodies, PORTABLE_BODIES);
}

/* The folder of a library, and of its weights. */
static bool write_library(Model *m, const char *folder, bool force)
{
    Model *bodies[PORTABLE_BODIES] = { m };
    const int body_count = m->options.portable ? PORTABLE_BODIES : 1;
    if (m->options.portable && !compile_bodies(m, bodies))
        return false;
    const List headers = library_headers(bodies, body_count);
    FolderFile *files = NEW_ARRAY(m->arena, FolderFile, headers.count + 11 + PORTABLE_BODIES);
    Text weights = { .arena = m->arena }, source = { .arena = m->arena };
    int n = 0;
    if (m->options.weights) {
        if (!weights_pack(m, m->options.weights, &weights))
            return false;
        weights_source(m, &weights, &source);
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s.weights", m->name), weights.text, weights.length };
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s_weights.c", m->name), source.text, source.length };
    }
    for (int i = 0; i < headers.count; i++) {
        const EmbeddedFile *f = headers.items[i];
        files[n++] = (FolderFile){ f->name, f->bytes, f->size };
    }
    if (m->options.python) {
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s/__init__.py", m->name), m->python.package.text, m->python.package.length };
        files[n++] = (FolderFile){ "spnc_wheel.py", m->python.wheel.text, m->python.wheel.length };
        files[n++] = (FolderFile){ "pyproject.toml", m->python.project.text, m->python.project.length };
    }
    files[n++] = (FolderFile){ "LICENSE", embedded_licence[0].bytes, embedded_licence[0].size };
    files[n++] = (FolderFile){ "Makefile", m->makefile.text, m->makefile.length };
    files[n++] = (FolderFile){ "example.c", m->example.text, m->example.length };
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.h", m->name), m->header.text, m->header.length };
    for (int i = 0; i < body_count && m->options.portable; i++)
        files[n++] = (FolderFile){ arena_printf(m->arena, "%s_%s.c", m->name, bodies[i]->options.target), bodies[i]->c.text, bodies[i]->c.length };
    const Text *first = m->options.portable ? &m->front : &m->c;
    files[n++] = (FolderFile){ arena_printf(m->arena, "%s.c", m->name), first->text, first->length };
    return folder_write(m->arena, m->diag, folder, files, n, force);
}

/* Writes the output of show and explain to the standard output or to -o: a file, or a folder for NAME.txt, .json, .dot or .html. */
static bool tell(Model *m, const Arguments *a)
{
    const Deck *d = deck_new(m, &m->c);
    Text said = { .arena = m->arena };
    bool explained = a->command->kind == EXPLAIN, good = true;
    if (explained)
        good = explain(&said, d, a->name);
    else if (a->ranks)
        cluster_text(&said, d, a->ranks, a->network);
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
        if (stat(path, &out) == 0 && stat(m->file->path, &model) == 0 && out.st_dev == model.st_dev && out.st_ino == model.st_ino)
            usage_error("-o %s is the model itself", path);
        file_write(m->arena, path, said.text, said.length);
    } else if (good) {
        fwrite(said.text, 1, said.length, stdout);
    }
    return good;
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
    FILE *nowhere = fopen("/dev/null", "w");              /* errors and warnings were printed the first time */
    Diag *diag = diag_new(arena, nowhere ? nowhere : stderr, false, false);
    Model m = { .arena = arena, .diag = diag, .options = a->options, .path = a->path, .tuning = t };
    bool good = compile(&m) && diag_errors(m.diag) == 0;
    if (good && folder)
        good = write_folder(&m, folder, true);
    arena_free(arena);
    if (nowhere)
        fclose(nowhere);
    return good;
}

static int tune_model(const Model *m, Arguments *a)
{
    const char *path = tuning_path(m->arena, a), *processor = processor_name(m->arena);
    Tuning *t = tuning_new(m->arena, processor, SPN_VERSION), *file = tuning_new(m->arena, processor, SPN_VERSION);
    int status = tune(m->arena, t, m->name, !a->no_cache, build_trial, a);
    if (status)
        return status;
    tuning_read(file, path, false);                       /* its answers about other shapes are kept */
    int found = tuning_merge(file, t);
    Text text = { .arena = m->arena };
    tuning_write(file, &text);
    file_write(m->arena, path, text.text, text.length);
    printf("%s: %d answer%s for this model, %d in all; spnc build reads it\n", path, found, found == 1 ? "" : "s", tuning_answers(file));
    return 0;
}

/* `status`, or 74 if standard output could not be written. */
static int written(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "spnc: cannot write to the standard output: %s\n", strerror(errno));
    return 74;
}

/* Copies a built-in template into a user's folder as a start; an existing file is kept. */
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
    const char *suggestion, *file = a->path ? template_named(arena, a->path, &suggestion) : NULL;
    int status = 0;
    if (a->path && !file) {
        fprintf(stderr, "spnc: there is no template '%s'%s; see spnc templates\n", a->path, suggestion);
        status = 2;
    } else if (file && a->out) {
        status = copy_template(arena, file, a->out);
    } else {
        templates_print(arena, stdout, a->options.templates, file);
    }
    return written(status);
}

/* Commands about the language: they need no model. */
static int reference(const Arguments *a, Arena *arena)
{
    const char *suggestion;
    char shown[1024];
    switch (a->command->kind) {
    case TEMPLATES: return templates(a, arena);
    case SCHEMA: schema_print(stdout); break;
    case WORDS: words_print(stdout); break;
    default:
        if (!ops_print(arena, stdout, a->path, &suggestion)) {
            fprintf(stderr, "spnc: nothing in the language is called '%s'%s; see spnc ops\n", text_shown(shown, sizeof shown, a->path, ""),
                    suggestion);
            return 2;
        }
    }
    return written(0);
}

/* Runs the command for a model that compiled without errors. */
static int act(Model *m, Arguments *a)
{
    switch (a->command->kind) {
    case SHOW:
    case EXPLAIN: return tell(m, a) ? 0 : 1;
    case TUNE: return tune_model(m, a);
    case EMIT:
    case BUILD: {
        const char *folder = a->out ? a->out : arena_printf(m->arena, "generated/%s", m->name);
        if (!(m->options.inference ? write_library : write_folder)(m, folder, a->force))
            return 1;
        if (m->options.inference)
            return a->command->kind == BUILD ? child_make(m->arena, folder, "all", "a C compiler and make") : 0;
        return a->command->kind == BUILD ? cache_make(m->arena, folder, m->name, !a->no_cache) : 0;
    }
    default: return 0;
    }
}

int main(int argc, char **argv)
{
    descriptors_open();
    ops_register();
    Arguments a = arguments(argc, argv);
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    for (int i = 0; i < 3; i++)
        signal(signals[i], on_signal);
    Arena *arena = arena_new();
    Diag *diag = diag_new(arena, stderr, a.json, !a.json && isatty(2) && !getenv("NO_COLOR"));
    if (!a.command->needs[0]) {
        const bool outside = outside_read(arena, diag, a.options.templates);
        outside_use_all();
        int status = outside ? reference(&a, arena) : 1;
        arena_free(arena);
        return status;
    }
    Model m = { .arena = arena, .diag = diag, .options = a.options, .path = a.path };
    m.options.check = a.command->kind == CHECK;
    m.tuning = tuning_new(arena, processor_name(arena), SPN_VERSION);
    if (a.command->kind != TUNE && !a.options.plain && !(a.tuning && !strcmp(a.tuning, "none")))
        tuning_read(m.tuning, tuning_path(arena, &a), a.tuning != NULL);
    int status = compile(&m) && diag_errors(diag) == 0 ? 0 : 1;
    if (status == 0 && !a.options.stage)
        status = act(&m, &a);
    arena_free(arena);
    return written(status);
}
