/* language.c -- the tables behind language.h: every key of a model file that does not belong to an operator.
 *
 * A row's range, default and help are written only here: maps.c checks values and fills in defaults, `spnc schema` and `spnc ops` print
 * them.  A number's fallback is the value of an absent key. */
#include "read/language.h"
#include <stdlib.h>

double default_number(const AttrSpec *s)
{
    return !s->fallback || !*s->fallback ? 0 : s->type == ATTR_BOOL ? s->fallback[0] == 't' : strtod(s->fallback, NULL);
}

/* ---- the model ---------------------------------------------------------------------------------------- */

static const AttrSpec model_keys[] = {
    { "model", ATTR_NAME, NULL, 0, 0, NULL, "name of the model and of its program" },
    { "about", ATTR_TREE, "", 0, 0, "text", "one line that says what the net is" },
    { "include", ATTR_TREE, "", 0, 0, "include", "files, in the model's folder or below it, whose nets and params are as if they were written here: a path or a list" },
    { "params", ATTR_TREE, "", 0, 0, "params", "numbers and words that stand as $name further down; `--set name=value` overrides them" },
    { "batch", ATTR_INT, "100", 1, 65536, NULL, "examples in a batch; `--batch` overrides it" },
    { "operators", ATTR_TREE, "", 0, 0, "text", "a folder of described operators (NAME.op.lua), by its path from the model; as `--templates`, which is searched first" },
    { "inputs", ATTR_TREE, NULL, 0, 0, "inputs", "what comes in: a name and the shape of one example each, read from DIR/SPLIT_NAME.npy" },
    { "targets", ATTR_TREE, "", 0, 0, "targets", "what the losses compare with: labels or real numbers, read from DIR/SPLIT_NAME.npy" },
    { "nets", ATTR_TREE, "", 0, 0, "model_nets", "nets by name, each a list of layers; wherever a net is used its weights are the same" },
    { "flow", ATTR_TREE, NULL, 0, 0, "model_flow", "how values are made, top to bottom: each entry defines one name, or repeats" },
    { "loss", ATTR_TREE, NULL, 0, 0, "losses", "what training makes small: one loss or a list of them, which add" },
    { "outputs", ATTR_TREE, "", 0, 0, "outputs", "values of the flow that `predict` and the inference library give, a name or a list; without it what the losses read" },
    { "train", ATTR_TREE, "", 0, 0, "train", "how the net is trained" },
    { 0 },
};
const MapSpec map_model = { NULL, "a model", model_keys, "A neural network that spnc compiles into C.", NULL, NULL };

static const AttrSpec included_keys[] = {
    { "include", ATTR_TREE, "", 0, 0, "include", "files, by their paths from this one" },
    { "params", ATTR_TREE, "", 0, 0, "params", "numbers and words that stand as $name in the nets" },
    { "nets", ATTR_TREE, "", 0, 0, "nets", "nets by name" },
    { 0 },
};
const MapSpec map_included = { NULL, "an included file", included_keys, "Nets and params for the models that include this file.", NULL, NULL };

static const AttrSpec input_keys[] = {
    { "shape", ATTR_SHAPE, NULL, 1, 1 << 24, NULL, "shape of one example: [channels, rows, columns], or any other of 1 to 6 axes" },
    { "dtype", ATTR_WORD, "f32", 0, 0, "u8 f32 i32", "numbers in the file: bytes, read as x/255, floats as they are, or whole numbers" },
    { "classes", ATTR_INT, "", 1, 1e6, NULL, "with dtype: i32: they are from 0 to classes - 1" },
    { "augment", ATTR_TREE, "", 0, 0, "augment", "training sees each example changed, anew in every epoch: see `spnc ops augment`" },
    { 0 },
};
const MapSpec map_input = { NULL, "an input", input_keys, "A value that comes from the data, one for each example.", NULL, NULL };

static const AttrSpec augment_keys[] = {
    { "flip", ATTR_WORD, "none", 0, 0, "none horizontal", "horizontal: half of the examples with their columns in reverse order" },
    { "shift", ATTR_INT, "0", 0, 65536, NULL, "moved by whole pixels, so many at most, up or down and left or right" },
    { "rotate", ATTR_REAL, "0", 0, 180, NULL, "turned by so many degrees at most, either way" },
    { "scale", ATTR_REAL, "0", 0, 0.9, NULL, "made 1 - scale to 1 + scale times as large" },
    { "noise", ATTR_REAL, "0", 0, 1e6, NULL, "deviation of what is added to every number, in the units that the net reads" },
    { "clutter", ATTR_TREE, "", 0, 0, "clutter", "{ pieces: 16, size: 8 }: so many squares of size x size, cut from other examples of the split" },
    { 0 },
};
const MapSpec map_augment = {
    "augment", "augment", augment_keys, "Under an input: training sees its examples changed, each anew in every epoch.",
    "y(r, c) = min(clutter(r, c) + x(r', c'), 255) + noise;   the min for u8 alone, which is then rounded and kept in 0 to 255\n"
    "c' = cx + ( cos a (c - cx - right) + sin a (r - cy - down)) / z,   (cx, cy) the image's centre, bilinear, 0 beyond the border\n"
    "r' = cy + (-sin a (c - cx - right) + cos a (r - cy - down)) / z,   a and z even in their ranges; without rotate and scale pixels are copied\n"
    "flip: c' is W - 1 - c' for every second example, on the average.\n"
    "The image is the last two axes; all planes before them are changed alike, but for the noise.  Chance follows from seed, epoch and example;\n"
    "eval, predict and targets are untouched.",
    "inputs: { x: { shape: [1, 12, 12], dtype: u8, augment: { flip: horizontal, shift: 2, rotate: 15, scale: 0.1, noise: 0.05, clutter: { pieces: 2, size: 4 } } } }\n"
    "targets: { y: { classes: 3 } }\n"
    "flow:\n"
    "  - v: { dense: x, units: 3 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

static const AttrSpec clutter_keys[] = {
    { "pieces", ATTR_INT, NULL, 0, 4096, NULL, "how many; a later one covers an earlier one" },
    { "size", ATTR_INT, NULL, 1, 65536, NULL, "rows and columns of each" },
    { 0 },
};
const MapSpec map_clutter = { NULL, "clutter", clutter_keys, "Squares of other examples, laid at random places under the example.", NULL, NULL };

static const AttrSpec label_keys[] = {
    { "length", ATTR_INT, "", 1, 1e6, NULL, "labels of one example; without it, or a shape, there is one" },
    { "shape", ATTR_SHAPE, "", 1, 1 << 24, NULL, "shape of the labels of one example, as [rows, columns]: logits have the classes in front of it" },
    { "classes", ATTR_INT, NULL, 1, 1e6, NULL, "labels are whole numbers from 0 to classes - 1" },
    { 0 },
};
const MapSpec map_labels = { NULL, "a target of labels", label_keys, "Labels for cross_entropy and binary_cross_entropy.", NULL, NULL };

static const AttrSpec real_keys[] = {
    { "shape", ATTR_SHAPE, NULL, 1, 1 << 24, NULL, "shape of one example" },
    { "dtype", ATTR_WORD, "f32", 0, 0, "u8 f32", "numbers in the file: bytes, read as x/255, or floats as they are" },
    { 0 },
};
const MapSpec map_reals = { NULL, "a target (shape, or length and classes)", real_keys, "Real numbers for mse, mae and huber; shares for cross_entropy and binary_cross_entropy.", NULL, NULL };

/* ---- nets ------------------------------------------------------------------------------------------------- */

static const AttrSpec net_keys[] = {
    { "params", ATTR_TREE, "", 0, 0, "params", "parameters of the net with their defaults, given where it is used" },
    { "in", ATTR_TREE, NULL, 0, 0, "net_in", "the name of its input, or a list of names" },
    { "do", ATTR_TREE, NULL, 0, 0, "flow", "entries, which see the inputs and each other alone" },
    { "out", ATTR_TREE, NULL, 0, 0, "net_out", "its value, a name or a formula; or a map of several" },
    { 0 },
};
const MapSpec map_net = { NULL, "a net", net_keys, "A net with branches.", NULL, NULL };

static const AttrSpec net_layers_keys[] = {
    { "params", ATTR_TREE, "", 0, 0, "params", "parameters of the net with their defaults, given where it is used" },
    { "layers", ATTR_TREE, NULL, 0, 0, "layers", "its layers, one after the other" },
    { 0 },
};
const MapSpec map_net_layers = { NULL, "a net", net_layers_keys, "A net with parameters.", NULL, NULL };

/* ---- repeats and states ----------------------------------------------------------------------------------- */

static const AttrSpec repeat_keys[] = {
    { "repeat", ATTR_INT, NULL, 1, STEPS_MAX, NULL, "number of steps" },
    { "when", ATTR_TREE, "", 0, 0, "condition", "it is there only if this holds" },
    { "name", ATTR_NAME, "", 0, 0, NULL, "its name; repeat1, repeat2, ... in the order of the file unless given" },
    { "reverse", ATTR_BOOL, "false", 0, 1, NULL, "from the last step to step 0; the stack of steps stays in the order of $t, and `last` is step 0" },
    { "step", ATTR_NAME, "", 0, 0, NULL, "a name of its step, beside $t: with step: i it is $i" },
    { "carry", ATTR_TREE, "", 0, 0, "carry", "states that go from step to step: each is updated once under `do`" },
    { "do", ATTR_TREE, NULL, 0, 0, "flow", "entries that run at every step" },
    { 0 },
};
const MapSpec map_repeat = {
    "repeat", "a repeat", repeat_keys, "Runs the entries under `do` several times with the same weights.",
    "for t = 0 .. T-1: the entries of `do`; a carried name holds the state of step t-1 until its entry, that of step t from there on.\n"
    "After the repeat its names stand for the stack of steps, [T, ...]; `last` and `slice` pick.",
    "inputs: { x: { shape: [1, 8, 8] } }\n"
    "targets: { y: { length: 3, classes: 10 } }\n"
    "flow:\n"
    "  - repeat: 3\n"
    "    carry: { h: { gru: { units: 16 } }, s: { shape: [16], init: trained } }\n"
    "    do:\n"
    "      - h: { gru: [x, h] }\n"
    "      - s: { add: [s, h] }\n"
    "      - v: { dense: s, units: 10 }\n"
    "loss: { cross_entropy: [v, y] }\n",
};

static const AttrSpec carried_gru_keys[] = { { "gru", ATTR_TREE, NULL, 0, 0, "gru_cell", "a gated recurrent unit updates this state" }, { 0 } };
static const AttrSpec carried_lstm_keys[] = {
    { "lstm", ATTR_TREE, NULL, 0, 0, "lstm_cell", "a long short-term memory updates NAME.h, called NAME too, and NAME.c" }, { 0 },
};
static const AttrSpec carried_rnn_keys[] = { { "rnn", ATTR_TREE, NULL, 0, 0, "rnn_cell", "an Elman cell updates this state" }, { 0 } };
const MapSpec carried_cells[] = {
    { NULL, "a carried gru", carried_gru_keys, "A state that a gru updates.", NULL, NULL },
    { NULL, "a carried lstm", carried_lstm_keys, "Two states that an lstm updates.", NULL, NULL },
    { NULL, "a carried rnn", carried_rnn_keys, "A state that an rnn updates.", NULL, NULL },
    { 0 },
};

static const AttrSpec carried_keys[] = {
    { "shape", ATTR_TREE, NULL, 0, 0, "state_shape", "shape of the state of one example; []: one number" },
    { "init", ATTR_TREE, "zeros", 0, 0, "operand", "the state before the first step: zeros, trained, or a value: a name, a number, a formula" },
    { 0 },
};
const MapSpec map_carried = { NULL, "a carried state", carried_keys, "A state that any entry of `do` with its name updates.", NULL, NULL };

/* ---- training ------------------------------------------------------------------------------------------------- */

static const AttrSpec train_keys[] = {
    { "optimiser", ATTR_TREE, "rmsprop", 0, 0, "optimiser", "the rule that updates the weights" },
    { "clip", ATTR_TREE, "", 0, 0, "clip", "bounds on the gradient; without it there are none" },
    { "schedule", ATTR_TREE, "", 0, 0, "schedule", "how the rate falls; without it, it is constant" },
    { "weight_decay", ATTR_REAL, "0", 0, 1e3, NULL, "adds weight_decay * w to the clipped gradient of each weight" },
    { "nets", ATTR_TREE, "", 0, 0, "train_nets", "settings of single nets or parameters, by a net's name or a beginning of parameter names up to a dot; the longest counts" },
    { "no_decay", ATTR_TREE, "", 0, 0, "no_decay", "kinds of parameters that do not decay: bias, norms, weights" },
    { "accumulate", ATTR_INT, "1", 1, 1e6, NULL, "an update for so many batches, with the mean of their gradients; the rest at an epoch's end makes one too" },
    { "average", ATTR_REAL, "0", 0, 0.999999, NULL, "share that an average of the weights keeps at each update; what is evaluated is the average.  0: none is kept" },
    { "epochs", ATTR_INT, "100", 0, 1e6, NULL, "passes over the training data" },
    { "patience", ATTR_INT, "0", 0, 1e6, NULL, "stop after so many epochs without a better validation error; 0: never" },
    { "seed", ATTR_INT, "1", 0, 9e15, NULL, "start of all random numbers" },
    { 0 },
};
const MapSpec map_train = { NULL, "train", train_keys, "How the net is trained.", NULL, NULL };

static const AttrSpec train_net_keys[] = {
    { "rate_times", ATTR_REAL, "1", 0, 1e6, NULL, "factor of the rate" },
    { "weight_decay", ATTR_REAL, "", 0, 1e3, NULL, "instead of the decay of all" },
    { "freeze", ATTR_BOOL, "false", 0, 1, NULL, "no update changes it, and its gradient is not computed" },
    { "init", ATTR_TREE, "", 0, 0, "file_start", "{ file: weights.npz }: it starts from a file, .npz or .safetensors, by its path from the model, which is read when the program is built" },
    { 0 },
};
const MapSpec map_train_net = { NULL, "an entry of train: nets:", train_net_keys, "How one net, or the parameters with one beginning of their names, are trained.", NULL, NULL };

static const AttrSpec clip_keys[] = {
    { "element", ATTR_REAL, "", 0, 1e30, NULL, "each element of the gradient is kept in [-element, element]; before the norm" },
    { "norm", ATTR_REAL, "", 0, 1e30, NULL, "a gradient whose norm over all weights is larger is scaled down to it" },
    { "rule", ATTR_WORD, "torch", 0, 0, "torch lasagne", "scale by min(1, norm / (|g| + 1e-6)), or by the rule of the authors' code" },
    { 0 },
};
const MapSpec map_clip = { NULL, "clip", clip_keys, "Bounds on the gradient.", NULL, NULL };
