/* pipeline.c -- the pipeline: every stage is a row of one table, in the order in which they run.
 *
 * In: a Model with its options and its path.  Out: the texts of the generated folder, or errors.  Next: main.c, which writes them.
 * The one convention: data flows down the table, and nothing flows back.  `--stage` of the command line, its help and its completion
 * come from the rows that can be printed (options.c). */
#include "pipeline.h"
#include "outside/outside.h"
#include <string.h>

/* The tree of m->path, unless m has one already. */
static bool tree_read(Model *m)
{
    if (!m->root)
        m->root = read_file(m->arena, m->diag, m->path);
    if (!m->root)
        return false;
    m->file = m->root->loc.file;
    diag_source(m->diag, m->file);
    return true;
}

const Stage stages[] = {
    { "read",     tree_read,      NULL,           NULL, false },
    { "include",  include_read,   NULL,           NULL, false },
    { "operators", outside_use,   NULL,           NULL, false },
    { "model",    model_build,    NULL,           NULL, false },
    { "graph",    shape_infer,    stage_graph,    NULL, true },      /* also after errors: checks the operators that were built */
    { "onnx",     onnx_write,     NULL,           NULL, false },
    { "steps",    steps_split,    stage_steps,    NULL, false },
    { "forward",  forward_only,   NULL,           NULL, false },     /* of a library; else nothing changes */
    { "grad",     grad_build,     stage_passes,   NULL, false },
    { "warn",     warn,           NULL,           NULL, false },
    { "fuse",     fuse,           stage_passes,   NULL, false },
    { "kernel",   kernels_choose, NULL,           NULL, false },
    { "identity", identify,       stage_identity, "what the model hash is made of", false },
    { "join",     formulas_join,  NULL,           NULL, false },     /* bit-neutral, like all from here on */
    { "store",    weights_store,  NULL,           NULL, false },     /* of a library; else nothing changes */
    { "schedule", schedule,       NULL,           NULL, false },
    { "plan",     plan,           stage_plan,     NULL, false },
    { "emit",     emit,           NULL,           NULL, false },
};
const int stage_count = sizeof stages / sizeof *stages;

const Stage *stages_run(Model *m)
{
    const Stage *refused = NULL;
    for (const Stage *s = stages; s < stages + stage_count; s++) {
        if (refused && !(s->regardless && refused == s - 1))
            break;
        if (!s->run(m) && !refused)
            refused = s;
        if (!refused && s->print && m->options.stage && !strcmp(m->options.stage, s->name))
            s->print(m, stdout);
    }
    return refused;
}

/* After a shape error: finds a value of one parameter, near its own, with which all shapes fit.  Parameters given by --set are tried
 * first. */
static void suggest(const Model *m)
{
    FILE *nowhere = fopen("/dev/null", "w");
    int trials = 40000 / (m->ops.count + 1);            /* a large net is not built a hundred times over */
    for (int i = 0; nowhere && i < 2 * m->scope.count; i++) {
        const Param *p = &m->scope.params[i % m->scope.count];
        if (p->set != (i < m->scope.count) || !p->reads || p->value.kind != VALUE_INT)
            continue;
        for (int k = 0; k < 80 && trials > 0; k++, trials--) {      /* d-1, d+1, d-2, d+2, ... */
            int64_t v = p->value.i + (k % 2 ? 1 : -1) * (k / 2 + 1);
            Arena *arena = arena_new();
            Model trial = { .arena = arena, .options = m->options, .path = m->path, .file = m->file, .root = m->root };
            trial.diag = diag_new(arena, nowhere, false, false);
            trial.options.sets[trial.options.set_count++] = arena_printf(arena, "%s=%lld", p->name, (long long)v);
            bool fits = v >= 1 && model_build(&trial) && shape_infer(&trial);
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

bool compile(Model *m)
{
    const Stage *refused = stages_run(m);
    if (refused && refused->run == shape_infer)
        suggest(m);
    return !refused;
}
