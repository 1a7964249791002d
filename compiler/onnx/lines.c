/* lines.c -- writes the lines of lines.h. */
#include "onnx/lines.h"
#include <string.h>

const char *onnx_text(Onnx *o, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    char *text = NEW_ARRAY(o->m->arena, char, n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(args);
    va_end(again);
    return text;
}

const char *onnx_node(Onnx *o, const char *type, const char *outputs, const char *inputs, const char *attributes)
{
    if (!outputs)
        outputs = onnx_text(o, "/%d", o->names++);
    if (o->refused)
        return outputs;
    if (++o->nodes > ONNX_NODES_MAX)
        onnx_refuse(o, (Loc){ 0 }, "its repeats make more than %d nodes of an ONNX graph, which has no loops here", ONNX_NODES_MAX);
    text_printf(&o->text, "node %s %s = %s%s%s\n", type, outputs, inputs, *attributes ? " : " : "", attributes);
    return outputs;
}

void onnx_refuse(Onnx *o, Loc at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *path = at.file ? at.file->path : "", *name = strrchr(path, '/');
    if (!o->refused)
        o->refused = at.line ? onnx_text(o, "%s:%d: %s", name ? name + 1 : path, at.line, text) : onnx_text(o, "%s", text);
}

bool onnx_first(Onnx *o, const char *name)
{
    for (int i = 0; i < o->made.count; i++)
        if (strcmp(o->made.items[i], name) == 0)
            return false;
    list_push(o->m->arena, &o->made, arena_copy(o->m->arena, name, strlen(name)));
    return true;
}

const char *onnx_list(Onnx *o, const int64_t *numbers, int n)
{
    Text t = { .arena = o->m->arena };
    text_printf(&t, "[");
    for (int i = 0; i < n; i++)
        text_printf(&t, "%s%lld", i ? "," : "", (long long)numbers[i]);
    text_printf(&t, "]");
    return t.text;
}

const char *onnx_shape(Onnx *o, const Shape *s, int ones)
{
    int64_t dims[2 * RANK_MAX + 1] = { 0 };
    for (int i = 0; i < ones; i++)
        dims[1 + i] = 1;
    for (int i = 0; i < s->rank; i++)
        dims[1 + ones + i] = s->dim[i];
    return onnx_text(o, "int%s", onnx_list(o, dims, 1 + ones + s->rank));
}

const char *onnx_reshape(Onnx *o, const char *x, const Shape *s, const char *outputs)
{
    return onnx_node(o, "Reshape", outputs, onnx_text(o, "%s %s", x, onnx_shape(o, s, 0)), "");
}

const char *onnx_every(Onnx *o, const char *x, const Shape *s, const char *outputs)
{
    const char *examples = "//examples";
    if (onnx_first(o, examples))
        onnx_node(o, "Shape", examples, o->m->inputs[0].name, "start=0 end=1");
    const char *shape =
        s->rank ? onnx_node(o, "Concat", NULL, onnx_text(o, "%s int%s", examples, onnx_list(o, s->dim, s->rank)), "axis=0") : examples;
    return onnx_node(o, "Expand", outputs, onnx_text(o, "%s %s", x, shape), "");
}

const char *onnx_constant(Onnx *o, const char *name, const Shape *s, const double *values, int64_t count)
{
    bool same = true;
    for (int64_t i = 1; i < count; i++)
        same = same && values[i] == values[0];
    text_printf(&o->text, "const %s f32 %s", name, onnx_list(o, s->dim, s->rank));
    for (int64_t i = 0; i < (same ? 1 : count); i++)
        text_printf(&o->text, " %.9g", values[i]);
    text_printf(&o->text, "\n");
    return name;
}
