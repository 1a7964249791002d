/* spnc.h -- the map of the compiler: every prototype that parts of it share, in the order of the pipeline.
 *
 * The types are in common.h and graph.h.
 *
 *   arena  diag  read  expr | model  shape  steps  forward  grad  fuse  kernel  join  store  schedule  plan  emit | fact  template  (outside.h: operators that are not spnc's own)
 *
 * pipeline.c has the table of the stages in that order; each stage is a file of that name (model uses the other readers in graph/, emit
 * uses call, template uses sandbox).  A stage reports every error it finds to the Diag and returns false; the next one does not run then.
 * All memory is allocated from the one Arena of the compilation and is freed with it. */
#ifndef SPNC_H
#define SPNC_H

#include "common.h"
#include "graph.h"

/* ---- ops/: one operator, one row in ops.def, one file ---------------------------------------------- */

/* Texts of an operator's page in `spnc ops NAME`, and of its help in editors. */
typedef struct {
    const char *about;       /* one line */
    const char *shapes;      /* one line: inputs -> result; parameters */
    const char *example;     /* a whole model without its name; the tests compile it; NULL: none (an operator from outside) */
} OpHelp;

typedef struct {
    const char *name;        /* in the language, and of its template */
    const char *equation;    /* one line for sections' heads and `spnc ops` */
    int inputs_min, inputs_max;
    const char *main;        /* attribute that a bare value sets in a net */
    bool layer;              /* allowed in a net; in the flow all but plumbing are allowed */
    const AttrSpec *attrs;   /* ends with name NULL */
    /* Sets the shape of writes[0]; makes the other tensors that forward writes, and the weights with their shapes.  False after reporting
     * that shapes do not fit. */
    bool (*infer)(Model *m, Op *op);
    /* Appends the operator's backward operators; dy is the whole gradient of writes[0].  See grad.c for the helpers. */
    void (*grad)(Model *m, Op *op, Use dy);
    void (*facts)(const Model *m, const Op *op, Fact *f);
    double (*macs)(const Op *op);    /* multiply-adds of one example at one step, forward; each gradient costs the same */
    bool whole_batch;        /* fast form: called once for all groups, divides its own work among the threads */
    const char *arguments;   /* C parameter kinds, outputs:inputs, last letter repeats.  t array type, f real *, a pointer to step 0,
                                i int32_t *.  spn is "tt:tf": (crop_t y, slopes_t, image_t, real *A).
                                A gradient has the kind of its value. */
    const OpHelp *help;      /* NULL: not a word of the language */
} OpInfo;
/* The `transform` of an spn, or of the operator that make.c puts before it. */
int transform_numbers(const Op *op);             /* how many numbers it has */
unsigned transform_identity(const Op *op);       /* its identity: bit i is set where number i is 1, the others are 0 */
/* The first operator behind `after` (NULL: of all) that reads t as its transform; NULL: none does. */
const Op *transform_reader(const Model *m, const Tensor *t, const Op *after);
/* Fills op_table with spnc's own operators: main's first call, before any other of this header. */
void ops_register(void);
/* By kind: spnc's own, then those from outside, op_count in all.  Filled before the first stage, the same from then on. */
extern const OpInfo *op_table[OP_NONE];
extern int op_count;
extern bool op_hidden[OP_NONE + 1];              /* by kind: a net or an operator of the user's has its name, which means that one */
extern bool op_elements[OP_NONE + 1];            /* by kind: a function of formulas (ELEMENT in ops.def).  Filled by ops_register */
/* By kind, what it does with whole numbers as inputs: refuses them; moves them about, so that its result holds them too; makes real numbers of them.
 * Filled with op_table. */
typedef enum { WHOLE_REFUSED, WHOLE_KEPT, WHOLE_TAKEN } WholeUse;
extern WholeUse op_whole[OP_NONE + 1];
extern bool op_weighs[OP_NONE + 1];              /* by kind, of described operators: it has parameters, all of them unless its attribute `affine` is false */
static inline bool op_is_element(OpKind kind) { return op_elements[kind]; }
static inline bool op_is_cell(OpKind kind) { return kind == OP_gru || kind == OP_lstm || kind == OP_rnn; }
#define OP_INFO(op) (op_table[(op)->kind])
/* Fast form: op is called once for all groups, and divides its own work among the threads. */
static inline bool op_is_whole(const Op *op) { return OP_INFO(op)->whole_batch || (op->kind == OP_embedding && op->pass == WEIGHTS); }

/* What may stand where a loss has its last operand: a target with classes; a target of real numbers; any value of the flow; or (alone: a penalty) a net, or a
 * beginning of parameter names. */
enum { TAKES_LABELS = 1, TAKES_REALS = 2, TAKES_VALUES = 4, TAKES_WEIGHTS = 8 };
enum { OPERANDS_MAX = 2 };

/* The second row of an operator that is a loss: properties for the language and the trainer. */
typedef struct {
    const char *word;        /* under `loss:`; NULL: the operator's name */
    const char *operands[OPERANDS_MAX];  /* names for messages; NULL behind the last, if a loss has only one */
    const char *form;        /* its operands in an example: "[a, b]" */
    int takes;               /* TAKES_..., or-ed */
    /* Called when shapes are known: checks those of the operands and sets l->positions; false after reporting.  NULL: a penalty. */
    bool (*fits)(Model *m, LossDef *l);
    const char *shows;       /* what the trainer shows beside it: a word of LossShows in runtime/net.h; NULL: nothing */
    bool squares;            /* its terms grow with the square of its operands, not in proportion */
} LossInfo;
extern const LossInfo *loss_table[OP_NONE + 1];  /* by kind; NULL: no loss.  Filled by ops_register */
#define LOSS_INFO(op) (loss_table[(op)->kind])
int loss_operands(const LossInfo *l);            /* its number of operands */
/* loss.c: true if there is a class weight for each of l->class_count classes; an error if not. */
bool loss_classes_fit(Model *m, LossDef *l);
const char *loss_word(OpKind kind);              /* its name under `loss:` */
OpKind loss_kind_of(const char *word);           /* OP_NONE: no loss has that name */

/* ---- model.c ... emit.c: the stages ----------------------------------------------------------------- */

/* All have one form, that of a row in pipeline.c's table; a stage that has no errors to report returns true. */
bool include_read(Model *m);     /* include.c: m->root with the nets and params of the files that it names */
bool model_build(Model *m);      /* of m->root and m->options.sets */
/* rates.c: records the dropout layer `layer` and its parsed attributes; op NULL: its rate is 0, and it is removed. */
void rate_note(Model *m, Op *op, const char *layer, const Op *parsed);
void rates_choose(Model *m);     /* at the end of model_build: Model.rates, Op.dropout.rate */
bool shape_infer(Model *m);      /* also runs after a failed model_build, to report shape errors of the operators that were built */
/* parameters.c, at the end of shape_infer: what `train:` says about single parameters goes to m->weights; a key that fits none is an error. */
void parameters_settle(Model *m);
void starts_read(Model *m);      /* starts.c, behind it: Weight.start, from the files that `train: nets:` names */
void penalties_settle(Model *m); /* penalty.c, behind it: the weights that each penalty counts; an error where there are none */
double parameters_decay(const Model *m);     /* the decay of a parameter of which nothing else is said */
bool onnx_write(Model *m);       /* onnx.c: m->onnx, for the trainer's export; what ONNX does not have is no error here */
bool steps_split(Model *m);
bool forward_only(Model *m);     /* forward.c: of a library: what only training needs is removed */
bool grad_build(Model *m);
bool formulas_join(Model *m);    /* join.c: operators that work element by element with their neighbours; bit-neutral */
void formulas_store(Model *m);   /* stores.c, behind the joins: formulas that convolutions and dense layers compute where they store */
void kinks_mark(Model *m);       /* kinks.c, at the end of formulas_join: which formulas have kinks that trained parameters may cross */
void kinks_set(Op *op);          /* kinks.c: likewise of one formula */
bool warn(Model *m);             /* after grad_build: warnings about valid models that are probably mistakes */
bool fuse(Model *m);
bool kernels_choose(Model *m);
bool identify(Model *m);         /* identity.c: m->signature and m->hash */
bool weights_store(Model *m);    /* store.c: of a library: which weights are stored, and in which form */
void layouts_choose(Model *m);       /* layout.c, after the hash: never bit-relevant */
void places_share(Model *m);         /* likewise: share.c */
/* For a Winograd convolution or its gradient: the number of Winograd tiles in one vec in a last group of few images, 4 or 2; 0: no
 * packing. */
int kernel_packs(const Model *m, const Op *op);
/* Why a convolution is not computed by Winograd's algorithm; NULL if it is. */
const char *kernel_misfit(const Model *m, const Op *op);
bool schedule(Model *m);         /* schedule.c: layouts_choose, then op->schedule; bit-neutral like the stages after it */
bool plan(Model *m);
void norms_join(Model *m);        /* norms.c, before the phases are cut */
void rows_place(Model *m);        /* rows.c, likewise */
void compute_again(Model *m);     /* again.c, once the phases are cut */
void memory_place(Model *m);      /* memory.c: places of tensors and weights, once the phases are cut */
int64_t memory_reals(const Model *m, const Tensor *t);                 /* that the owner t will take of the batch's memory */
int64_t memory_kept(Model *m);     /* reals of all tensors that forward leaves for backward, once the phases are cut */
/* identity.c: appends all bit-relevant properties of m as text; m->hash is its checksum.  Valid after kernels_choose. */
void identity_write(Text *t, const Model *m);
/* cost.c: sets Phase.barrier of the phases of a pass: true if the threads wait for each other after the phase. */
void barriers(Model *m, List *phases);
/* Work of an operator of phase p in one training step of the whole batch.  macs: multiply-adds as by direct convolution; products: those
 * executed. */
typedef struct { double calls, macs, products, bytes; } Cost;
Cost op_cost(const Model *m, const Phase *p, const Op *op);
bool op_multiplies(const Op *op);                         /* true if this pass executes the operator's multiply-adds */
/* sums.c: how the sum over the examples of the batch is ordered that an operator of the fast form makes.  SUM_TREE: a fold of parts, one a slice; SUM_TREE_AT_ONCE: the
 * same tree, from the operands of all slices; SUM_CHAIN: slices, in them examples, in order; SUM_STATISTICS: of batch norms.  (The loss is one
 * chain over slices and lanes; the clip norm reads sums alone.) */
typedef enum { SUM_NONE, SUM_TREE, SUM_TREE_AT_ONCE, SUM_CHAIN, SUM_STATISTICS } SumKind;
SumKind sums_kind(const Op *op);
const char *sums_order(SumKind kind);
bool sums_reads(const Op *op, const Tensor *t);         /* for its sum, does op read the slices of t of all groups? */
/* When the slices of t of all groups are read behind a forward pass: of losses, and of what wrong labels are counted from, always; of what is otherwise compared with a
 * target in an evaluation alone. */
typedef enum { SHOWN_NEVER, SHOWN_IN_TRAINING, SHOWN_IN_EVALUATION } SumShown;
SumShown sums_shown(const Model *m, const Tensor *t);
int64_t train_blocks(const Model *m);                      /* blocks as long as that of the parameters which training keeps, with them and their gradients */
Cost update_cost(const Model *m);                         /* gathering, clipping, optimiser and average */
/* Every text of the generated folder: m->c, m->inspect, m->makefile, m->gdb and m->training (the sources of runtime/ and trainer/ are copied by main.c). */
bool emit(Model *m);
Fact *emit_facts(Model *m);      /* the facts of its templates; facts.c of manual documents them */

/* stage.c: the result of each stage as text, for `--stage`.  (show.h: the whole net, for `spnc show`.) */
void stage_graph(const Model *m, FILE *out);
void stage_steps(const Model *m, FILE *out);      /* the forward pass */
void stage_passes(const Model *m, FILE *out);     /* forward and backward: grad and fuse */
void stage_identity(const Model *m, FILE *out);
void stage_plan(const Model *m, FILE *out);

/* Of a dense layer or its gradients: positions of an example that go through it by themselves. */
int64_t dense_positions(const Op *op);
/* Rows and columns of the products of a matmul: its value, the gradient to its first operand, that to its second. */
void matmul_sizes(const Op *op, int sizes[3][2]);
/* grad.c's helpers for ops' grad functions. */
Op *grad_backward(Model *m, Op *op, Use dy);          /* a BACKWARD operator: from dy to the inputs' gradients (op->grad.inputs), in order; NULL: none */
Op *grad_weights(Model *m, Op *op, Use dy);           /* a WEIGHTS operator that reads dy; NULL if no weight is trained; folds are added */
void grad_layer(Model *m, Op *op, Use dy);           /* both gradients of a layer: of its weights from dy and its first input, and of its inputs from dy */
void grad_append(Model *m, Op *op);                   /* another operator, behind those that backward has so far */
void grad_pass(Model *m, Op *op, int input, Use dy);  /* the gradient of input i is dy itself */
void grad_slices(Model *m, Op *op, Use dy);           /* op is a slice that moves with the step, of a value made once: the slices of all steps at once */

/* True if the first axis of an input is probably the batch.  False for three axes: as many channels as examples may be intended. */
bool batch_is_axis(const Model *m, const DataDef *d);
/* A picture as [rows, columns, channels], as NumPy, TensorFlow and cameras have it; the note says how it is here. */
bool channels_are_last(const DataDef *d);
void note_channels_first(const Model *m, const DataDef *d, Loc at);
/* shape.c's helpers for ops' infer functions: errors with the chain of shapes that led to the input. */
bool shape_refuse(Model *m, const Op *op, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The operator at the place of one of its attributes, where the model gives it, for shape_refuse. */
const Op *shape_at(Model *m, const Op *op, const char *attribute);
Weight *weight_new(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout);    /* by the attribute `init`; the second is a bias */
Weight *weight_named(const Model *m, const char *name);         /* NULL: none so far */
Weight *weight_start(Model *m, Op *op, const char *suffix, Shape shape, WeightLayout layout, const Attr *init, bool bias);
Weight *weight_constant(Model *m, Op *op, const char *suffix, Shape shape, double value);     /* all elements start so */
/* A buffer of the net, of PREFIX.suffix, that starts as `value`: the one of that name, if an earlier use has made it. */
Weight *buffer_new(Model *m, Op *op, const char *suffix, Shape shape, double value);

/* ---- the language itself, printed from the tables that check it ------------------------------------- */

void schema_print(FILE *out);                                        /* schema.c: a JSON Schema, 2020-12 */
/* help.c: the list of operators and the rest (name NULL), or one page; false if there is none, with diag_suggestion's text. */
bool ops_print(Arena *a, FILE *out, const char *name, const char **suggestion);

/* ---- template.c: C with Lua in the margin ---------------------------------------------------------- */

/* Expands the template `name` ("conv.c.in") with `facts` as the template's globals and appends to `out`.
 * Templates are embedded at build time; a file of that name in `dir` (folders, one a line; may be NULL) is used instead.
 *   a line whose first character is %   is Lua (the rest of the line)
 *   ${expr}                             is replaced by the value: text, integer, or number; nil, false or a table is an error
 *   include("NAME.c.in", { ... })       expands another template in place: the table's fields over the current facts
 *   list(n, ", ", f[, margin[, each]])   f(0), ..., f(n - 1) in one text; with a margin in lines that begin with it, of `each` items if given
 *   plus(a, n, size)                     the C of a + n * size (size: 1 unless given), "a - 3" below 0, a at 0
 *   candidate("forward", { "4x7", ... })   the number of the fastest choice in `tuning` (may be NULL), else 1: tuning.h
 *   ipairs pairs string.format/rep/upper/lower/sub, math.floor/min/max, tostring, type, error, assert, #, are there; io, os, load, require,
 *   print, debug, string.dump, metatables are not.  Reading an unset global or an unset field of a fact is an error; facts are read-only;
 *   has(table, "key") is true if a fact is set; index("k", { 12, 1 }) is the text k1 * 12 + k2.  Locals of a template line live to the end of their block as in Lua.
 * 50 million Lua instructions and 64 MiB of Lua memory are the limits of one expansion.
 * An error is reported as PATH:LINE:COLUMN: error: text (the template's), with the line, the wrong part underlined; then come the
 * includes on the way, and a note with the operator (`op` of an include, at its place in the model), or else with `what`. */
bool template_expand(Arena *a, Diag *d, const char *dir, const char *name, const char *what, const Fact *facts, Tuning *tuning, Text *out);

#endif
