/* onnx.c -- the net with its weights as an ONNX file.
 *
 * In: net.onnx, the graph as lines of text, which spnc wrote, and a block of weights.  Out: the file.
 *
 *   in NAME TYPE [2,3]                    an input of the net, of one example: u8, f32 or i32
 *   out NAME TYPE [2,3]                   an output
 *   const NAME TYPE [2,3] 0 0.5 1         numbers, f32 or i64; a single one stands for all
 *   node TYPE OUTPUT... = INPUT... : KEY=VALUE...
 *   refused TEXT                          instead of all: the net has no form in ONNX
 *
 * Operands are outputs of a node above, inputs, constants, parameters and running statistics by their names, or numbers themselves: int:3, int[0,-1],
 * real:0.5, real[1,2]; `-` is one that is left out.  Values of attributes: 1 is an int, 1.0 a float, [1,2] ints, 'text' a string.  Numbers of fields
 * are those of onnx.proto. */
#include "inspect/onnx.h"
#include "files/array_file.h"
#include "files/protobuf.h"
#include "files/version.h"
#include "run/message.h"
#include "run/weights.h"

#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 9, OPSET = 20 };
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14 };
enum { OPSET_VERSION = 2, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_TENSOR = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_S = 4, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { IS_FLOAT = 1, IS_INT = 2, IS_STRING = 3, IS_INTS = 7 };
enum { TENSOR_DIM = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 1, DIM_VALUE = 1, DIM_NAME = 2 };
enum { FLOAT32 = 1, UINT8 = 2, INT32 = 6, INT64 = 7 };

static const size_t MOST = (size_t)INT32_MAX;      /* bytes of a message of Protocol Buffers */

/* The graph that is being written; names: those of tensors that it has, one behind the other, each with a 0. */
typedef struct { Protobuf message; const real *block; char *names; size_t length, room; } Graph;

bool onnx_named(const char *path)
{
    const size_t n = strlen(path);
    return n > 5 && !strcmp(path + n - 5, ".onnx");
}

/* ---- texts ---------------------------------------------------------------------------------------------------- */

/* The next word of a line, whose end it makes a 0; NULL: there is none.  *line moves behind it. */
static char *word(char **line)
{
    char *from = *line + strspn(*line, " ");
    char *end = from + strcspn(from, " ");
    *line = *end ? end + 1 : end;
    *end = '\0';
    return *from ? from : NULL;
}

/* "[2,3]": the numbers, at most `most`; returns how many. */
static int numbers(const char *text, int64_t *to, int most)
{
    int n = 0;
    for (const char *at = text + 1; *at && *at != ']' && n < most;) {
        char *end;
        to[n++] = strtoll(at, &end, 10);
        at = *end == ',' ? end + 1 : end;
    }
    return n;
}

/* True the first time that the name comes. */
static bool first(Graph *g, const char *name)
{
    const size_t n = strlen(name) + 1;
    for (size_t at = 0; at < g->length; at += strlen(g->names + at) + 1)
        if (!strcmp(g->names + at, name))
            return false;
    if (g->length + n > g->room) {
        char *names = need_memory(g->room = 2 * (g->length + n), "names of an ONNX graph");
        if (g->length)
            memcpy(names, g->names, g->length);
        free(g->names);
        g->names = names;
    }
    memcpy(g->names + g->length, name, n);
    g->length += n;
    return true;
}

/* ---- tensors ---------------------------------------------------------------------------------------------------- */

/* numbers[0..count) as little-endian float32 or int64. */
static void tensor(Graph *g, const char *name, int type, const int64_t *dims, int rank, const double *values, size_t count)
{
    const size_t each = type == INT64 ? 8 : 4;
    unsigned char *raw = need_memory(count * each + 1, "a tensor of an ONNX file");
    for (size_t i = 0; i < count; i++) {
        const float f = (float)values[i];
        uint64_t bits = (uint64_t)(int64_t)values[i];
        uint32_t f_bits;
        memcpy(&f_bits, &f, sizeof f_bits);
        for (size_t b = 0; b < each; b++)
            raw[i * each + b] = (unsigned char)((type == INT64 ? bits : f_bits) >> 8 * b);
    }
    Protobuf t = { 0 };
    for (int i = 0; i < rank; i++)
        protobuf_int(&t, TENSOR_DIM, dims[i]);
    protobuf_int(&t, TENSOR_TYPE, type);
    protobuf_text(&t, TENSOR_NAME, name);
    protobuf_bytes(&t, TENSOR_RAW, raw, count * each);
    protobuf_message(&g->message, GRAPH_TENSOR, &t);
    free(raw);
}

/* A parameter, or a running statistic, which lies in a block of its own. */
static const NetParam *weight_named(const char *name, bool *running)
{
    for (int k = 0; k < net.param_count + net.buffer_count; k++) {
        const NetParam *p = k < net.param_count ? &net.params[k] : &net.buffers[k - net.param_count];
        *running = k >= net.param_count;
        if (!strcmp(p->name, name))
            return p;
    }
    return NULL;
}

static void weight(Graph *g, const NetParam *p, const real *block)
{
    real *exported = need_memory(p->count * sizeof *exported + 1, "a parameter");
    double *values = need_memory(p->count * sizeof *values + 1, "a parameter");
    int64_t dims[NET_RANK];
    weights_export(exported, block, p);
    for (size_t i = 0; i < p->count; i++)
        values[i] = (double)exported[i];
    for (int i = 0; i < p->rank; i++)
        dims[i] = p->shape[i];
    tensor(g, p->name, FLOAT32, dims, p->rank, values, p->count);
    free(values);
    free(exported);
}

/* "int[0,-1]", "real:0.5" */
static void number(Graph *g, const char *name)
{
    enum { MOST_NUMBERS = 64 };
    const int type = *name == 'i' ? INT64 : FLOAT32;
    const char *at = name + strcspn(name, ":[");
    const bool list = *at == '[';
    double values[MOST_NUMBERS];
    size_t count = 0;
    for (char *end; *at && *at != ']' && count < MOST_NUMBERS; at = end)
        values[count++] = strtod(at + 1, &end);
    tensor(g, name, type, &(int64_t){ (int64_t)count }, list, values, count);
}

/* What an operand is, the first time that it is named; outputs of nodes and inputs are there already. */
static void operand(Graph *g, const char *name)
{
    bool running = false;
    const NetParam *p = weight_named(name, &running);
    const bool literal = !strncmp(name, "int:", 4) || !strncmp(name, "int[", 4) || !strncmp(name, "real:", 5) || !strncmp(name, "real[", 5);
    if ((p || literal) && first(g, name)) {
        if (p)
            weight(g, p, running ? net.running() : g->block);
        else
            number(g, name);
    }
}

static void constant(Graph *g, char *line)
{
    const char *name = word(&line), *type = word(&line), *shape = word(&line);
    int64_t dims[NET_RANK + 2];
    const int rank = numbers(shape, dims, NET_RANK + 2);
    size_t count = 1, n = 0;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    double *values = need_memory(count * sizeof *values + 1, "a constant");
    for (char *text; n < count && (text = word(&line)); n++)
        values[n] = strtod(text, NULL);
    for (size_t i = n; n == 1 && i < count; i++)
        values[i] = values[0];
    tensor(g, name, *type == 'i' ? INT64 : FLOAT32, dims, rank, values, count);
    free(values);
}

/* ---- nodes, inputs, outputs ------------------------------------------------------------------------------------ */

/* KEY=VALUE, which it cuts. */
static void attribute(Protobuf *node, char *text)
{
    char *value = strchr(text, '=');
    Protobuf a = { 0 };
    *value++ = '\0';
    protobuf_text(&a, ATTRIBUTE_NAME, text);
    if (*value == '[') {
        int64_t list[2 * NET_RANK + 4];
        const int n = numbers(value, list, 2 * NET_RANK + 4);
        for (int i = 0; i < n; i++)
            protobuf_int(&a, ATTRIBUTE_INTS, list[i]);
        protobuf_int(&a, ATTRIBUTE_TYPE, IS_INTS);
    } else if (*value == '\'') {
        protobuf_bytes(&a, ATTRIBUTE_S, value + 1, strlen(value) - 2);
        protobuf_int(&a, ATTRIBUTE_TYPE, IS_STRING);
    } else if (strpbrk(value, ".e")) {
        protobuf_float(&a, ATTRIBUTE_F, strtof(value, NULL));
        protobuf_int(&a, ATTRIBUTE_TYPE, IS_FLOAT);
    } else {
        protobuf_int(&a, ATTRIBUTE_I, strtoll(value, NULL, 10));
        protobuf_int(&a, ATTRIBUTE_TYPE, IS_INT);
    }
    protobuf_message(node, NODE_ATTRIBUTE, &a);
}

static void node(Graph *g, char *line)
{
    enum { OUTPUTS, INPUTS, ATTRIBUTES } part = OUTPUTS;
    Protobuf n = { 0 };
    const char *type = word(&line), *name = NULL;
    for (char *text; (text = word(&line));) {
        if (part == OUTPUTS && !strcmp(text, "=")) {
            part = INPUTS;
        } else if (part == INPUTS && !strcmp(text, ":")) {
            part = ATTRIBUTES;
        } else if (part == ATTRIBUTES) {
            attribute(&n, text);
        } else {
            const char *what = strcmp(text, "-") ? text : "";
            if (part == INPUTS)
                operand(g, what);
            else if (*what)
                name = what;
            protobuf_text(&n, part == INPUTS ? NODE_INPUT : NODE_OUTPUT, what);
        }
    }
    protobuf_text(&n, NODE_NAME, name ? name : "");
    protobuf_text(&n, NODE_TYPE, type);
    protobuf_message(&g->message, GRAPH_NODE, &n);
}

/* An input or output: its name, type and shape, of as many examples as there are. */
static void port(Graph *g, int field, char *line)
{
    const char *name = word(&line), *type = word(&line), *shape = word(&line);
    int64_t dims[NET_RANK + 2];
    const int rank = numbers(shape, dims, NET_RANK + 2);
    Protobuf value = { 0 }, kind = { 0 }, tensor_type = { 0 }, axes = { 0 }, examples = { 0 };
    protobuf_text(&examples, DIM_NAME, "N");
    protobuf_message(&axes, SHAPE_DIM, &examples);
    for (int i = 0; i < rank; i++) {
        Protobuf dim = { 0 };
        protobuf_int(&dim, DIM_VALUE, dims[i]);
        protobuf_message(&axes, SHAPE_DIM, &dim);
    }
    protobuf_int(&tensor_type, TENSOR_ELEMENT, *type == 'u' ? UINT8 : *type == 'i' ? INT32 : FLOAT32);
    protobuf_message(&tensor_type, TENSOR_SHAPE, &axes);
    protobuf_message(&kind, TYPE_TENSOR, &tensor_type);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &kind);
    protobuf_message(&g->message, field, &value);
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void graph(Graph *g)
{
    for (const char *const *from = net.onnx; *from; from++) {
        char *text = need_memory(strlen(*from) + 1, "an ONNX graph"), *line = strcpy(text, *from);
        const char *kind = word(&line);
        if (!strcmp(kind, "in"))
            port(g, GRAPH_INPUT, line);
        else if (!strcmp(kind, "out"))
            port(g, GRAPH_OUTPUT, line);
        else if (!strcmp(kind, "const"))
            constant(g, line);
        else
            node(g, line);
        free(text);
    }
    protobuf_text(&g->message, GRAPH_NAME, net.name);
}

static void entry(Protobuf *model, const char *name, const char *value)
{
    Protobuf e = { 0 };
    protobuf_text(&e, ENTRY_KEY, name);
    protobuf_text(&e, ENTRY_VALUE, value);
    protobuf_message(model, MODEL_METADATA, &e);
}

void onnx_save(const char *path, const real *block)
{
    static const char refused[] = "refused ";
    Graph g = { .block = block };
    Protobuf model = { 0 }, opset = { 0 };
    ArrayOut out;
    ArrayError e;
    if (!*net.onnx)
        fail(WRONG_INPUT, "export: this program was made without an ONNX graph; spnc build makes one that has it");
    if (!strncmp(*net.onnx, refused, sizeof refused - 1))
        fail(WRONG_INPUT, "export: %s cannot be written: %s", path, *net.onnx + sizeof refused - 1);
    graph(&g);
    protobuf_int(&model, MODEL_IR, IR_VERSION);
    protobuf_text(&model, MODEL_PRODUCER, "spnc");
    protobuf_text(&model, MODEL_PRODUCER_VERSION, SPN_VERSION);
    protobuf_text(&model, MODEL_DOC, net.about ? net.about : "");
    protobuf_message(&model, MODEL_GRAPH, &g.message);
    protobuf_int(&opset, OPSET_VERSION, OPSET);
    protobuf_message(&model, MODEL_OPSET, &opset);
    entry(&model, "model", net.name);
    entry(&model, "model_hash", net.hash);
    entry(&model, "signature", net.signature);
    entry(&model, "settings", net.settings);
    entry(&model, "yaml", net.yaml);
    free(g.names);
    if (model.failed)
        fail(ENVIRONMENT, "%s: no memory for the ONNX file", path);
    if (model.length > MOST)
        fail(WRONG_INPUT, "%s: an ONNX file has at most 2 GB, and this net needs %zu bytes", path, model.length);
    if (!array_out_open(&out, path, &e) || !array_out_write(&out, model.bytes, model.length, &e) || !array_out_commit(&out, &e))
        fail_array(&e);
    protobuf_free(&model);
}
