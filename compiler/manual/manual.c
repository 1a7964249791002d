/* manual.c -- `spnc templates`: the list of templates, and the facts of each.
 *
 * In: the templates' own opening comments, and the table of facts below.  The operators of a template follow from the templates: NAME.c.in
 * belongs to operator NAME, and a template that has another's name in quotes may include it.  The one convention: emit.c, page.c and ops/
 * set a fact, this table documents it; the tests compare the two in both directions. */
#include "manual/manual.h"
#include "base/embed.h"
#include "outside/outside.h"
#include "template/template.h"

#include <string.h>

const FactDoc fact_docs[] = {
    { "", "net", "net", "sizes and settings of the whole program", NULL },
    { "", "units", "unit[]", "the operators that have functions, in the order of the file", NULL },
    { "", "types", "type[]", "a C array type for each tensor", NULL },
    { "", "places", "place[]", "the memory plan: where each tensor of the batch lies", NULL },
    { "", "own_places", "place[]", "and each of a thread's scratch", NULL },
    { "", "forward backward", "phase[]", "the calls of a pass, between barriers", NULL },
    { "", "forward_scratch backward_scratch", "bool", "does a call of that pass take the thread's scratch?", NULL },
    { "", "weights", "weight[]", "the parameters, in the order of the block", NULL },
    { "", "buffers", "weight[]", "running statistics of batch norms, in the order of their block", NULL },
    { "", "norms", "norm[]", "the uses of batch norms, in the order in which they move running statistics", NULL },
    { "", "parameters", "int", "how many numbers are trained, without padding", NULL },
    { "", "inputs targets", "data[]", "what a batch holds", NULL },
    { "", "values", "named[]", "the names of the flow", NULL },
    { "", "losses", "loss[]", "the terms of the loss", NULL },
    { "", "train", "train", "optimiser and schedule", NULL },
    { "", "decisions", "decision[]", "what forward decided and backward relies on: masks, winners, pixels", NULL },
    { "", "rows", "text[]", "the rows of a profile, as C initialisers", NULL },
    { "", "update_row", "int", "the profile's row of the update", NULL },
    { "", "folds", "bool", "are parts of gradients, one a group, added up?", NULL },
    { "", "accumulates", "bool", "do gradients start at zero and are added to? (plain form)", NULL },
    { "", "openblas", "bool", "does a layer use OpenBLAS?", NULL },
    { "", "sources", "text[]", "the .c files that are compiled beside NAME.c: for Makefile.in alone", NULL },
    { "", "halves", "bool", "NAME.c is compiled as two halves: for Makefile.in alone", NULL },
    { "", "dropout sampler augment", "bool", "does the net have such an operator?", NULL },
    { "", "library", "library", "--for inference: names, sizes, inputs and outputs of the library", NULL },
    { "", "packs", "bool", "do tiles of a convolution share vecs in the last group, or stick out of a padded map?", NULL },
    { "", "rates", "rate[]", "dropout rates that a run may set", NULL },

    { "net", "name", "text", "the model's name: of the file and the program", NULL },
    { "net", "about", "text", "the model's `about`, as a C string", NULL },
    { "net", "source", "text", "the model's path, safe in a comment", NULL },
    { "net", "settings", "text", "its parameters, \"d=3 steps=4\"; empty if not safe in a comment", NULL },
    { "net", "settings_c", "text", "the same as a C string", NULL },
    { "net", "net_settings", "text", "the same without the parameters that `train:` alone reads", NULL },
    { "net", "yaml", "text", "the whole model as a C string, behind it the files that it includes", NULL },
    { "net", "parts", "part[]", "the files that it includes", NULL },
    { "net", "N", "int", "examples in a batch", NULL },
    { "net", "G", "int", "groups of lanes that hold them; plain form: N", NULL },
    { "net", "last", "int", "examples of the last of them", NULL },
    { "net", "plain", "bool", "the plain form: one example at a time, no lanes", NULL },
    { "net", "debug", "bool", "--debug", NULL },
    { "net", "double", "bool", "--precision double: real is double", NULL },
    { "net", "target", "text", "avx512, avx2 or generic", NULL },
    { "net", "registers", "int", "vector registers of the target", NULL },
    { "net", "vec_registers", "int", "of them that one vec takes", NULL },
    { "net", "flags", "text", "the compiler's flags for the target", NULL },
    { "net", "cpu", "text", "the target, if not every processor runs it; else empty", NULL },
    { "net", "library", "bool", "--for inference: the forward pass alone, on one thread", NULL },
    { "net", "signature hash", "text", "of the parameters' names and shapes; of all that is bit-relevant", NULL },
    { "net", "activation_reals scratch_reals block_reals", "int", "sizes: tensors of a batch, scratch of a thread, parameters with padding", NULL },
    { "net", "forward_macs backward_macs", "real", "multiply-adds of one example: forward, and for the gradients that somebody needs", NULL },

    { "unit", "name", "text", "C identifier: its functions are NAME_forward, NAME_backward, NAME_weights", NULL },
    { "unit", "kind", "text", "the operator's name", NULL },
    { "unit", "template", "text", "the file that makes its functions: KIND.c.in; of an operator from outside that of its form", NULL },
    { "unit", "place", "text", "path and line in the model, safe in a comment", NULL },
    { "unit", "line column span", "int", "where it stands in the model; 0: nowhere", NULL },
    { "unit", "equation shapes cost", "text", "for the head of its section", NULL },
    { "unit", "key", "text", "its shape and attributes in one line: what candidate() is asked about", NULL },
    { "unit", "forward dx dw", "bool", "which functions are wanted: forward, backward (of the first input), weights", NULL },
    { "unit", "gradients", "bool", "the gradient of some input is computed", NULL },
    { "unit", "decisions", "bool", "is NAME_decisions wanted? (spn)", NULL },
    { "unit", "act", "text", "an activation fused into it: relu, tanh, sigmoid, or empty", NULL },
    { "unit", "accumulate", "bool", "weights: add to the gradient that an earlier use left", NULL },
    { "unit", "adds_bias", "bool", "likewise of its second weight, where it is written at once", NULL },
    { "unit", "gathers", "bool", "weights: leaves the terms of each slice, for NAME_products", NULL },
    { "unit", "S S_backward S_weights", "int", "slices (groups x steps) that a call for the whole batch works on", NULL },
    { "unit", "size", "int", "elements of y in one example (a loss: of its first operand)", NULL },
    { "unit", "x y", "value", "the first input (if it has one), and the result", NULL },
    { "unit", "inputs", "value[]", "all inputs", NULL },
    { "unit", "flat", "bool", "x is [C, T]: there are columns alone, and y and a winner have no rows", "maxpool" },
    { "unit", "top left", "text", "where the window of row i or column j begins, as C, without padding", "maxpool" },
    { "unit", "window element", "text", "place of the element u, v of a window, and of element k, as C", "maxpool" },
    { "unit", "elements won", "text[]", "the elements of a small window as C, and the masks that say that each has won; of large ones none", "maxpool" },
    { "unit", "at", "text", "place of y as C", "maxpool" },
    { "unit", "tiling", "bool", "windows do not overlap", "maxpool" },
    { "unit", "rows_left columns_left", "bool", "some of x are in no window", "maxpool" },
    { "unit", "inside", "bool", "all windows lie inside x", "maxpool" },
    { "unit", "M", "int", "outputs: filters or units", "conv conv_transpose conv_pool dense" },
    { "unit", "C", "int", "channels of x; of a conv M and C are those of one group", "conv conv_transpose maxpool spn batch_norm batch_sums batch_statistics batch_gradient_sums batch_gradient" },
    { "unit", "H W", "int", "rows and columns of x", "conv conv_transpose conv_pool maxpool spn" },
    { "unit", "Ho Wo", "int", "rows and columns of y", "conv conv_transpose conv_pool maxpool spn" },
    { "unit", "KH KW", "int", "rows and columns of the kernel or window", "conv conv_transpose maxpool" },
    { "unit", "SH SW", "int", "stride", "conv conv_transpose maxpool" },
    { "unit", "PH PW", "int", "padding above and to the left", "conv conv_transpose maxpool" },
    { "unit", "padded_rows", "bool", "is there padding above or below?", "conv conv_transpose" },
    { "unit", "padded_columns", "bool", "is there padding to the left or to the right?", "conv conv_transpose" },
    { "unit", "DH DW", "int", "dilation", "conv conv_transpose" },
    { "unit", "EH EW", "int", "rows and columns from the first to the last tap", "conv conv_transpose" },
    { "unit", "groups", "int", "how many", "conv conv_transpose" },
    { "unit", "flat", "bool", "x is [C, T]: a map of one row", "conv conv_transpose" },
    { "unit", "split", "bool", "the kernels are of one group, or of maps of one row: the functions of all groups call them", "conv conv_transpose" },
    { "unit", "kernel", "text", "the operator's name, or that of one group's functions", "conv conv_transpose" },
    { "unit", "x_map y_map", "text", "C types of what the kernels read and write", "conv conv_transpose" },
    { "unit", "x_cast y_cast w_cast", "text", "C: what makes maps of one row of [C, T]; or empty", "conv conv_transpose" },
    { "unit", "w_array", "text", "C: the weight's declaration, \"w[8][3][3][3]\"", "conv conv_transpose" },
    { "unit", "takes_group takes_back", "text", "C: weights that the kernel of one group takes, forward and for the gradient to x", "conv conv_transpose" },
    { "unit", "gives_group", "text", "C: gradients that the kernel of one group gives", "conv conv_transpose" },
    { "unit", "b_array", "text", "C: the bias's declaration, \"b[8]\"; or empty", "conv conv_transpose" },
    { "unit", "filters channels", "int", "M and C of all groups", "conv conv_transpose" },
    { "unit", "tap_row tap_column", "text", "C: where tap u, v of output i, j meets x", "conv conv_transpose" },
    { "unit", "back_row back_column", "text", "C: where tap u, v of input i, j meets y", "conv conv_transpose" },
    { "unit", "outside", "text", "C: true where a tap meets no x", "conv conv_transpose" },
    { "unit", "channel", "text", "C: the channel of x that weight c of filter m meets", "conv conv_transpose" },
    { "unit", "far_u far_v", "text", "C: positions from the first tap to u, v", "conv conv_transpose" },
    { "unit", "first_u first_v", "text", "C, gradient to x: the first tap that may meet y,", "conv conv_transpose" },
    { "unit", "next_u next_v", "text", "C: the step to the next,", "conv conv_transpose" },
    { "unit", "skip skip_row", "text", "C: true for a tap, for a row of taps, that does not; or empty", "conv conv_transpose" },
    { "unit", "bias", "bool", "is there a bias?", "conv conv_transpose dense" },
    { "unit", "back_bias", "bool", "is there a bias where the gradient to x begins?  (a transposed convolution, of which that is the forward pass)", "conv conv_transpose" },
    { "unit", "winograd", "bool", "by Winograd's algorithm", "conv conv_transpose" },
    { "unit", "BITS", "int", "bits of a winner's number", "maxpool" },
    { "unit", "relu", "bool", "backward takes the relu below it along", "maxpool" },
    { "unit", "keep_winner", "bool", "forward keeps which element won, for backward", "maxpool conv_pool" },
    { "unit", "winner_type", "text", "C type of what it keeps, or empty", "maxpool conv_pool" },
    { "unit", "stored", "bool", "of a library: scale and shift lie among the weights", "batch_norm" },
    { "unit", "IN", "int", "inputs of each unit", "dense" },
    { "unit", "MP", "int", "M rounded up to whole vectors: the length of a row of weights", "dense" },
    { "unit", "openblas", "bool", "by OpenBLAS", "dense" },
    { "unit", "H", "int", "units of the state", "gru_gates lstm_gates" },
    { "unit", "keep_gates", "bool", "forward keeps the gates for backward", "gru_gates lstm_gates" },
    { "unit", "gates_type", "text", "C type of what it keeps, or empty", "gru_gates lstm_gates" },
    { "unit", "out_matters", "bool", "something reads h'", "lstm_gates" },
    { "unit", "border", "text", "zero, clamp or legacy", "spn" },
    { "unit", "bytes", "bool", "the image is read as bytes, one example after the other", "spn" },
    { "unit", "keep_slopes", "bool", "forward keeps its slopes for backward", "spn" },
    { "unit", "slopes_type", "text", "C type of what it keeps, or empty", "spn" },
    { "unit", "before after", "int", "elements of x along the axes before the classes, and behind", "one_hot" },
    { "unit", "element result", "text", "C: where an element of x is, and of y", "one_hot" },
    { "unit", "P U stride rows", "int", "whole numbers of an example; units; reals from row to row of the table as it lies; such rows", "embedding" },
    { "unit", "by_units", "bool", "the table's rows are the units, not the classes", "embedding" },
    { "unit", "rows columns stride", "int", "of a matrix that lies as that of a dense layer does, [columns][stride]; rows 0: it lies as it is exported", "broadcast" },
    { "unit", "product product_a product_b", "product", "y; the gradient to a; that to b", "matmul" },
    { "unit", "da db", "bool", "which gradients are wanted", "matmul" },
    { "unit", "P", "int", "positions that go through it by themselves", "dense" },
    { "unit", "transposed", "bool", "y = w' x: forward and gradient change places", "dense" },
    { "unit", "sizes", "int[]", "sizes of the inputs along the axis", "concat" },
    { "unit", "count", "int", "how many numbers the restricted transform has", "transform" },
    { "unit", "turns", "bool", "it is a similarity", "transform" },
    { "unit", "elements", "text[]", "what each of the six is: 0, 1, or p with a number's place; of a similarity without meaning", "transform" },
    { "unit", "places", "text[][]", "for each number the elements that it makes", "transform" },
    { "unit", "axis", "int", "0 is the first", "concat slice sum_slices" },
    { "unit", "what", "text", "the positions that are taken, in words", "slice sum_slices" },
    { "unit", "moves", "bool", "they follow the step, t", "slice sum_slices" },
    { "unit", "loops", "axis[]", "over the axes in front of that which is cut, and over positions that lie apart", "slice sum_slices" },
    { "unit", "part inside", "text", "C: the index of a part in x, and in y (empty: it is all of y)", "slice sum_slices" },
    { "unit", "of", "text", "the slice whose gradient it is", "sum_slices" },
    { "unit", "overlap whole", "bool", "slices of two steps share positions; the slices are all of y", "sum_slices" },
    { "unit", "drops", "bool", "the result goes through a dropout as it is stored", NULL },
    { "unit", "dropout", "text", "its name, or empty", NULL },
    { "unit", "scales", "bool", "the gradient of y comes from a dropout, whose scale it has to be multiplied by", NULL },
    { "unit", "RUN", "int", "elements, one after the other, about which one draw decides; of a pool: if it drops", "dropout maxpool conv_pool" },
    { "unit", "rate ramp", "real", "share of zeros; updates until it is reached; likewise", "dropout maxpool conv_pool" },
    { "unit", "P", "int", "rows of logits, or labels of one example", "cross_entropy labels" },
    { "unit", "O I", "int", "logits are [O][K][I]", "cross_entropy" },
    { "unit", "form", "text", "labels or shares if cross_entropy_labels or cross_entropy_shares has its C, or empty", "cross_entropy" },
    { "unit", "epsilon", "real", "share of the target spread over all classes", "cross_entropy" },
    { "unit", "smoothing", "real", "share of the target that is spread over all classes", "cross_entropy" },
    { "unit", "keep share", "text", "1 - smoothing; smoothing / K", "cross_entropy" },
    { "unit", "weights weights_sum", "text", "weights of the classes with commas, or empty; their sum", "cross_entropy" },
    { "unit", "ignores", "bool", "positions with the label `ignore` do not count", "cross_entropy" },
    { "unit", "ignore", "int", "that label", "cross_entropy" },
    { "unit", "counts", "bool", "the weights of the labels that count are a result too", "cross_entropy" },
    { "unit", "delta", "text", "where the square ends and the straight line begins", "huber" },
    { "unit", "labels", "bool", "its second operand are labels", "binary_cross_entropy" },
    { "unit", "P", "int", "positions of a channel", "batch_norm batch_sums batch_statistics batch_gradient_sums batch_gradient" },
    { "unit", "gradient_type", "text", "C type of the sums that its gradient needs, or empty", "batch_norm batch_statistics" },
    { "unit", "affine", "bool", "are there a weight and a bias?", "batch_statistics" },
    { "unit", "epsilon", "real", "added to the variance", "batch_statistics" },
    { "unit", "K", "int", "classes", "cross_entropy one_hot embedding" },
    { "unit", "source", "text", "u8, f32 or i32", "load augment" },
    { "unit", "classes", "int", "of a library's input of whole numbers: how many there are; else 0", "load" },
    { "unit", "augmented", "bool", "the rows are a tensor that augment has made", "load" },
    { "unit", "input", "int", "the input's number", "augment" },
    { "unit", "PLANES", "int", "images of one example: the product of all axes but the last two", "augment" },
    { "unit", "H W", "int", "the last two axes", "augment" },
    { "unit", "shift pieces piece", "int", "pixels; squares of clutter, and the size of each; 0: not asked for", "augment" },
    { "unit", "rotate scale noise", "real", "degrees; share of the size; deviation in the file's numbers; 0: not asked for", "augment" },
    { "unit", "value", "real", "the constant", "fill" },
    { "unit", "numbers", "text[]", "its elements as C, one if all are the same", "constant" },
    { "unit", "same", "bool", "all elements are the same", "constant" },
    { "unit", "steps", "int", "0, or the number of steps: there is a number for each", "constant" },
    { "unit", "axes", "axis[]", "the loops over the elements of the result", "formula" },
    { "unit", "pad", "text", "the margin inside of them", "formula slice sum_slices" },
    { "unit", "formula result", "text", "as people write it: y = ...; C of its value", "formula" },
    { "unit", "lines gradient_lines", "text[]", "C before that value, and before those of the gradients", "formula" },
    { "unit", "parameters pointers loads", "text", "C: of the function of one element; of the operator's; an element of each operand", "formula" },
    { "unit", "element", "text", "C: where an element of the result is", "formula" },
    { "unit", "derivatives", "gradient[]", "the gradients of those operands that have one", "formula" },
    { "unit", "gradient_parameters gradient_pointers", "text", "likewise of the gradients", "formula" },
    { "unit", "gradient_values locals", "text", "what the gradient's function is called with; the variables that it sets", "formula" },
    { "unit", "T G", "int", "steps; groups (plain form: examples)", "stack pick sum_steps sum_slices" },
    { "unit", "once", "bool", "x is the same at each step and kept once", "stack pick sum_steps" },
    { "unit", "step", "int", "the step that is taken", "stack pick sum_steps" },

    { "unit", "attrs", "by name", "its attributes: ints, reals, bools, texts, lists of ints; has(op.attrs, \"stride\") asks for one without a default", "outside" },
    { "unit", "facts", "by name", "what its description's `facts` returns: numbers, truth values, lists of ints", "outside" },
    { "unit", "parameters", "parameter[]", "its parameters, in the order of the description, without those that it does not have", "outside" },
    { "unit", "keep", "bool", "forward is given what it keeps for backward", "outside" },

    { "unit", "schedule", "schedule", "how its loops are cut; nothing of it decides bits", "conv conv_transpose conv_pool dense matmul" },

    { "gradient", "name", "text", "of the operand in C", NULL },
    { "gradient", "equation result", "text", "as people write it; C of its value", NULL },
    { "gradient", "element", "text", "C: where an element of it is", NULL },
    { "gradient", "stretched", "bool", "it is a sum over several elements of the result", NULL },
    { "gradient", "size", "int", "its elements in one example", NULL },
    { "axis", "variable pad", "text", "the loop's variable; its margin", NULL },
    { "axis", "size", "int", "its length", NULL },

    { "product", "leads", "lead[]", "loops around it", NULL },
    { "product", "z_at u_at v_at", "text", "C: what these add to the pointers", NULL },
    { "product", "rows columns terms", "int", "of z = u v", NULL },
    { "product", "z_row z_column u_row v_column", "int", "reals from one to the next", NULL },
    { "product", "u_term v_term z_element u_element v_element", "text", "C: from term to term; where an element is", NULL },
    { "product", "added", "bool", "z is stretched: products are added", NULL },
    { "product", "size", "int", "elements of z in one example", NULL },
    { "lead", "name", "text", "the loop's variable", NULL },
    { "lead", "n", "int", "its length", NULL },
    { "cuts", "rows columns", "run[]", "of z, in pieces of a tile", NULL },

    { "schedule", "forward backward", "direct", "direct convolution: tiles of filters x columns, of channels x columns", NULL },
    { "schedule", "few", "few[]", "direct convolution of few channels: tiles of the gradient to the input; empty: `backward` has them", NULL },
    { "schedule", "depthwise", "bool", "direct convolution: one channel in each group, so `lines` has its tiles", NULL },
    { "schedule", "lines", "lines", "the tiles of a depthwise convolution", NULL },
    { "schedule", "weights", "taps", "direct convolution: tiles of filters x (channels x taps of one row)", NULL },

    { "schedule", "winograd", "winograd", "convolution by Winograd's algorithm", NULL },
    { "schedule", "panels", "panels", "dense, forward: tiles of examples x vecs of outputs", NULL },
    { "schedule", "inputs products", "rows", "dense, gradients: tiles of inputs x slices, of inputs x vecs of outputs", NULL },
    { "schedule", "is_last", "text", "dense: is a slice of the last group?  For string.format(is_last, s)", NULL },
    { "schedule", "product product_a product_b", "cuts", "matmul: its three products in pieces of a tile", NULL },
    { "schedule", "filters", "run[]", "conv_pool: filters whose gradients are added to a patch of dx together", NULL },

    { "direct", "F Q", "int", "of a tile: at most so many rows and columns", NULL },
    { "direct", "rows edges", "run[]", "filters or channels, in pieces of a tile, and of a tile of one column", NULL },
    { "direct", "columns", "columns[]", "for each residue of the columns by the stride", NULL },
    { "direct", "sizes", "int[]", "of the pieces of columns, each once", NULL },
    { "direct", "border", "bool", "are there columns near the padding, computed one by one?", NULL },
    { "direct", "blocked", "bool", "do channels (backward: filters) come in blocks?", NULL },
    { "direct", "block", "int", "their number in a block; 0: all at once", NULL },

    { "columns", "inner border", "run[]", "columns whose windows read no padding; the others, one by one", NULL },

    { "run", "size", "int", "of each piece", NULL },
    { "run", "from to step", "int", "pieces begin at from, from + step, ..., below to", NULL },
    { "run", "before behind", "int", "number of the first piece, and of the one behind the last, in the whole list", NULL },
    { "run", "chunk", "int", "Winograd: rows whose sums are in memory together, whole pieces", NULL },

    { "few", "name", "text", "of its function, behind the operator's", NULL },
    { "few", "Q", "int", "columns of the tile", NULL },
    { "few", "from to", "int", "columns that it is used for", NULL },
    { "few", "first_tap last_tap", "int", "columns of the kernel that it uses", NULL },
    { "few", "loads", "load[]", "columns of dy that it reads, the last one first", NULL },

    { "load", "at", "int", "the column, from that of x with the padding", NULL },
    { "load", "tap count", "int", "first tap that uses it, and how many do", NULL },
    { "load", "column", "int", "of the tile, that gets the first tap's product; the next column gets that of the next tap", NULL },

    { "lines", "forward backward weights", "line[]", "tiles of columns, alike ones together", NULL },
    { "lines", "rows", "run[]", "weights: rows of the kernel whose sums are in registers together", NULL },
    { "lines", "Q", "int", "weights: columns of the widest tile", NULL },

    { "line", "name", "text", "of its function, behind the operator's", NULL },
    { "line", "Q", "int", "columns of the tile", NULL },
    { "line", "from to", "int", "columns that it is used for", NULL },
    { "line", "once", "bool", "it is used once", NULL },
    { "line", "first", "text", "C: its first column", NULL },
    { "line", "taps", "int[]", "taps of a row that are used", NULL },
    { "line", "loads", "use[]", "operands, in the order of the taps", NULL },

    { "use", "at", "text", "C: the operand's column", NULL },
    { "use", "count", "int", "products that it is in", NULL },
    { "use", "columns taps", "int[]", "columns of the tile, and taps, of these products", NULL },

    { "taps", "F Q", "int", "of a tile: at most so many filters, and taps of each channel", NULL },
    { "taps", "channels", "int", "of a tile", NULL },
    { "taps", "filters taps", "run[]", "in pieces of a tile", NULL },
    { "taps", "blocked", "bool", "do rows of positions come in blocks?", NULL },
    { "taps", "rows", "int", "of positions in a block; 0: all at once", NULL },

    { "panels", "tiles", "tile[]", "that the pieces need, each once", NULL },
    { "panels", "rows rest panels", "run[]", "the examples of a slice, those of the last group if it is not full, and vecs of outputs, in pieces of a tile", NULL },
    { "panels", "count wide", "int", "panels; outputs of the widest", NULL },
    { "panels", "block slices", "int", "inputs in a panel; slices that it meets", NULL },
    { "panels", "pieces", "int", "of work, for the threads", NULL },
    { "panels", "S", "int", "slices in all; each position is one", NULL },
    { "panels", "prefetch", "bool", "do the weights come from beyond the second-level cache?", NULL },

    { "tile", "F Q", "int", "rows and columns of sums", NULL },

    { "rows", "rows columns", "run[]", "in pieces of a tile", NULL },
    { "rows", "row_pieces column_pieces", "int", "how many", NULL },
    { "rows", "blocked", "bool", "do outputs (products: slices) come in blocks?", NULL },
    { "rows", "block", "int", "their number in a block; 0: all at once", NULL },
    { "rows", "chunk chunks", "int", "pieces of rows that a thread takes together; how many times that is", NULL },
    { "rows", "pieces", "int", "of work, for the threads", NULL },
    { "rows", "S", "int", "slices in all; each position is one", NULL },
    { "rows", "prefetch", "bool", "do the weights come from beyond the second-level cache?", NULL },

    { "winograd", "kinds", "kind[]", "of tiles: one for each pair of sizes", NULL },
    { "winograd", "points", "text[]", "for each size, the largest first: \"6: points 0, 1, -1, ..., infinity\"", NULL },
    { "winograd", "positions", "int", "of all kinds: products of one pair of channels", NULL },
    { "winograd", "P Q QP QV", "int", "u has rows P of Q numbers, QP with padding, which is QV vecs", NULL },
    { "winograd", "across", "bool", "is Q channels, and P filters?  Else the other way round", NULL },
    { "winograd", "block matrix", "int", "reals of a block of u, [P][16], and from position to position", NULL },
    { "winograd", "together pieces", "int", "rows of weights that are transformed together; how many times that is", NULL },
    { "winograd", "packs share", "int", "tiles that share a vec in the last group, which has few images: 4 or 2, else 0; lanes of each.  If there are several groups, the functions are told which is the last", NULL },
    { "winograd", "T", "int", "most tiles in a block", NULL },
    { "winograd", "sizes", "int[]", "of blocks", NULL },
    { "winograd", "plane part square", "int", "reals from position to position in the working memory: of transformed inputs, of sums, of a square that is transposed", NULL },
    { "winograd", "planes parts squares", "int", "reals of all of them", NULL },
    { "winograd", "far_x far_y", "bool", "does the map come from beyond the second-level cache?", NULL },
    { "winograd", "forward backward", "pass", "products of the forward pass, and of the gradient to the input", NULL },
    { "winograd", "rows columns", "run[]", "gradient to the weights: P, and QV, in pieces of a tile", NULL },
    { "winograd", "lists", "terms[]", "deferred gradient: one of each number of tiles in a kind", NULL },
    { "winograd", "deep slices slice", "int", "deferred gradient: sums that wait for their partner; slices; reals of the terms of one", NULL },

    { "kind", "name", "text", "\"6x5\": rows and columns", NULL },
    { "kind", "mh mw nh nw", "int", "rows and columns of its outputs and of its points", NULL },
    { "kind", "high wide", "axis", "its transforms down and across", NULL },
    { "kind", "tiles", "int", "how many there are", NULL },
    { "kind", "at positions", "int", "positions before its own; its own", NULL },
    { "kind", "down right", "text", "row and column of tile t, for string.format(k.down, t)", NULL },
    { "kind", "x_down x_right", "text", "likewise where its inputs begin: padding is outside of x", NULL },
    { "kind", "above left", "text", "is there a tile above, to the left?  Likewise", NULL },
    { "kind", "shared ragged", "bool", "do tiles share vecs in the last group?  Is the last vec not full?", NULL },
    { "kind", "together", "text", "tiles in vec t then, for string.format(k.together, t, t)", NULL },
    { "kind", "vecs packed_vecs", "int", "vecs of all its tiles", NULL },
    { "kind", "blocks packed_blocks", "block[]", "these in blocks", NULL },
    { "kind", "terms terms_p terms_plane", "int", "deferred gradient, reals: before its terms, before p in a plane, from position to position", NULL },
    { "kind", "soon", "int", "deferred gradient: vecs that each call prefetches", NULL },

    { "axis", "input output filter", "transform", "B', A' and G along an axis", NULL },
    { "axis", "input_adjoint output_adjoint filter_adjoint", "transform", "their adjoints", NULL },

    { "transform", "inputs", "int", "d0, d1, ...", NULL },
    { "transform", "sums", "sum[]", "to be computed first, in order", NULL },
    { "transform", "results", "text[]", "C of each result", NULL },

    { "sum", "name value", "text", "e0, e1, ..., and the C of it", NULL },

    { "block", "size from to", "int", "vecs of tiles in each block; from the first to behind the last", NULL },
    { "block", "number", "int", "of the size in `tiles` of a pass", NULL },
    { "block", "last", "bool", "the last blocks of their kind", NULL },

    { "pass", "K", "int", "terms of each sum", NULL },
    { "pass", "blocked", "bool", "do rows of u lie side by side, 16 in a block?", NULL },
    { "pass", "tiles", "sized[]", "for each size of a block", NULL },

    { "sized", "T", "int", "the size", NULL },
    { "sized", "rows columns", "run[]", "of products, in pieces of a register tile", NULL },

    { "terms", "tiles soon", "int", "tiles; vecs that each call prefetches", NULL },
    { "terms", "short", "bool", "has the last group fewer terms?", NULL },
    { "terms", "count", "text", "C of the number of terms of slice g", NULL },

    { "parameter", "name", "text", "as the description has it", NULL },
    { "parameter", "array", "text", "\"[8][3]\": behind its name it declares it in C", NULL },
    { "parameter", "dims", "int[]", "sizes", NULL },
    { "parameter", "count", "int", "their product", NULL },

    { "value", "name type", "text", "C names: v.NAME[s] is the tensor at slice s, TYPE its array type", NULL },
    { "value", "shape", "text", "\"20x9x9\"", NULL },
    { "value", "dims", "int[]", "the same as numbers; of one example", NULL },
    { "value", "size", "int", "elements of one example", NULL },
    { "value", "grad", "bool", "is its gradient wanted from this operator?", NULL },

    { "type", "type", "text", "the name", NULL },
    { "type", "element", "text", "real, uint16_t, int32_t, uint8_t or float", NULL },
    { "type", "dims", "text", "\"[20][9][9][L]\"", NULL },
    { "type", "slot", "text", "the type of a slice that is longer: a struct with the tensor as `of`; or empty", NULL },
    { "type", "behind", "text", "what stands behind it there: guard or padding", NULL },
    { "type", "padding", "int", "and how many bytes that is", NULL },

    { "place", "name member", "text", "of the tensor, as in `value`; of its pointer in v or in a scratch", NULL },
    { "place", "line", "text", "C: that pointer as a member of a struct, with its comment", NULL },
    { "place", "raw", "bool", "a kernel's own layout: reals", NULL },
    { "place", "steps", "int", "of the repeat it is stacked over; 0: none", NULL },
    { "place", "offset", "int", "in reals: where slice 0 begins", NULL },

    { "phase", "kind", "text", "once, core, core_backward (at each step) or after (all steps at once)", NULL },
    { "phase", "whole", "bool", "calls for the whole batch, shared out inside; else one a slice", NULL },
    { "phase", "opens closes", "bool", "the loop over the steps begins before it, ends behind it", NULL },
    { "phase", "loop", "bool", "inside such a loop", NULL },
    { "phase", "falls", "bool", "its loop goes from the last step to step 0", NULL },
    { "phase", "s", "bool", "its calls use s, the slice", NULL },
    { "phase", "T", "int", "steps", NULL },
    { "phase", "barrier", "bool", "the threads wait for each other behind it", NULL },
    { "phase", "wait", "int", "the profile's row of that wait; only with `barrier`, not in the plain form", NULL },
    { "phase", "calls", "call[]", "in order", NULL },

    { "call", "text", "text", "the call itself, without its semicolon", NULL },
    { "call", "reads writes", "text[]", "tensors for replay to look at, as initialisers of a Look", NULL },
    { "call", "guards", "text[]", "--debug: arguments of guard_check", NULL },
    { "call", "row", "int", "its row in the profile", NULL },

    { "weight", "name field", "text", "\"front.conv1.weight\", and its member in the struct", NULL },
    { "weight", "dims", "int[]", "PyTorch's", NULL },
    { "weight", "c_dims", "text", "of the member: \"[20][1][3][3]\"", NULL },
    { "weight", "rank count", "int", "of dims: how many, and their product", NULL },
    { "weight", "in_out", "bool", "lies [in][out], out rounded up to whole vectors", NULL },
    { "weight", "trained", "bool", "does the loss depend on it?", NULL },
    { "weight", "frozen", "bool", "does no update change it?", NULL },
    { "weight", "stride offset reals", "int", "in reals: a row (in_out), its beginning in the block, its length with padding", NULL },
    { "weight", "init", "text", "INIT_UNIFORM and so on", NULL },
    { "weight", "init_value", "real", "the initialiser's number", NULL },
    { "weight", "line", "int", "of the model", NULL },

    { "part", "path", "text", "of an included file, safe in a comment", NULL },
    { "part", "line", "int", "of yaml: where it begins", NULL },

    { "norm", "name", "text", "of the batch norm: \"front.batch_norm1\"", NULL },
    { "norm", "mean variance", "text", "members of the struct of buffers", NULL },
    { "norm", "statistics", "text", "C: what this use measured; in a repeat at step t", NULL },
    { "norm", "row C P", "int", "numbers of a row of them; channels; positions of an example", NULL },
    { "norm", "momentum", "real", "share of the batch", NULL },
    { "norm", "loop opens closes", "bool", "is it written in a repeat?  Does its loop over steps begin, or end, with it?", NULL },
    { "norm", "T line", "int", "steps of that repeat, or 1; line of the model", NULL },

    { "library", "upper", "text", "the model's name in capitals", NULL },
    { "library", "memory", "int", "bytes of a workspace", NULL },
    { "library", "block_reals", "int", "of the stored weights, 1 at least", NULL },
    { "library", "magic layout", "text", "hexadecimal: of every file of weights; of what is stored and how", NULL },
    { "library", "compiled images padded", "bool", "are there weights in it? may an input be a PNG? has a type a slot that is longer?", NULL },
    { "library", "inputs outputs", "port[]", "as the model and --outputs have them", NULL },

    { "port", "name member", "text", "in the model; in the C", NULL },
    { "port", "type dims", "text", "C: uint8_t, float or double; \"[3][10]\", of one example", NULL },
    { "port", "size", "int", "elements of an example, of an output at one step", NULL },
    { "port", "note axes", "text", "inputs: the end of a comment; an image's planes, rows and columns, or zeros", NULL },
    { "port", "stored", "text", "inputs: the type of its numbers as numpy writes it", NULL },
    { "port", "bytes", "int", "inputs: of a number", NULL },
    { "port", "image read", "bool", "inputs: may it be a PNG? does an operator read it?", NULL },
    { "port", "steps step", "int", "outputs: steps, at least 1; slices from one to the next, 0: the same at each", NULL },
    { "port", "offset slot", "int", "outputs, in reals: where slice 0 begins, and from one slice to the next", NULL },
    { "port", "each row", "int", "outputs: elements of all steps, and of the last axis", NULL },

    { "data", "name type", "text", "of the files; U8_OVER_255, F32 or LABELS", NULL },
    { "data", "dims", "int[]", "of one example", NULL },
    { "data", "rank count classes", "int", "of dims: how many, and their product; labels: how many classes", NULL },

    { "named", "name", "text", "in the flow", NULL },
    { "named", "steps", "int", "of its repeat; 0: none", NULL },
    { "named", "once", "bool", "the same at each step and kept once", NULL },
    { "named", "dims", "int[]", "of one example at one step", NULL },
    { "named", "rank count", "int", "of dims: how many, and their product", NULL },
    { "named", "offset slot", "int", "in reals: where slice 0 begins, and from one slice to the next", NULL },
    { "named", "transform", "bool", "a sampler's transform", NULL },
    { "named", "output", "bool", "`predict` gives it", NULL },

    { "rate", "name", "text", "what `train --set` calls it: a parameter, or LAYER.rate", NULL },
    { "rate", "variable", "text", "its variable in the C; empty: 0 in the model, so its layers are left out", NULL },
    { "rate", "value factor", "text", "numbers: the model's value; the largest by which a layer multiplies it", NULL },

    { "loss", "name", "text", "of the tensor that holds it, a number an example", NULL },
    { "loss", "slice", "text", "C: that tensor at slice s", NULL },
    { "loss", "kind", "text", "the operator's name", NULL },
    { "loss", "shows", "text", "what is shown beside it: WRONG, BITS, SQUARE or NOTHING", NULL },
    { "loss", "counted ignores", "bool", "it is divided by what counts; labels `ignored` do not count", NULL },
    { "loss", "counts", "text", "C: the weights of an example's labels that count at slice s, or empty", NULL },
    { "loss", "inner ignored", "int", "its logits are [positions / inner][classes][inner]; that label", NULL },
    { "loss", "squares", "bool", "its terms grow as the squares of what it reads", NULL },
    { "loss", "value target", "int", "numbers in values and targets; -1: none", NULL },
    { "loss", "positions shown", "int", "terms of the mean an example; errors that are reported", NULL },
    { "loss", "weight", "real", "factor in the total", NULL },
    { "loss", "differentiated", "bool", "does anybody want its gradient?", NULL },
    { "loss", "slices line", "int", "groups x steps; line of the model", NULL },

    { "train", "optimiser", "text", "its name; its rule is optimiser_NAME of optimiser.h", NULL },
    { "train", "blocks", "int", "of state that it keeps", NULL },
    { "train", "states numbers", "text", "C: arguments of its rule, the states and what stands behind the rate", NULL },
    { "train", "rate", "real", "the optimiser's rate", NULL },
    { "train", "counted", "bool", "its rule takes the number of updates before this one, too", NULL },
    { "train", "schedule", "text", "its name; its rule is schedule_NAME of schedule.h", NULL },
    { "train", "schedule_numbers", "text", "C: the arguments of its rule behind the epochs", NULL },
    { "train", "schedule_settings", "setting[]", "its numbers, in the order of its rule's parameters", NULL },
    { "train", "clip_element clip_norm", "real", "0: none", NULL },
    { "train", "parts", "part[]", "of the block of parameters: what is trained alike", NULL },
    { "train", "whole", "bool", "one part has all of the block, at the rate itself", NULL },
    { "train", "decays", "bool", "the optimiser's rule takes the decay itself", NULL },
    { "part", "at count", "int", "reals of the block", NULL },
    { "part", "rate_times decay", "real", "factor of the rate; weight decay", NULL },
    { "train", "lasagne", "bool", "clip by the authors' rule, not torch's", NULL },
    { "train", "epochs patience", "int", "in epochs", NULL },
    { "train", "seed", "text", "digits", NULL },

    { "setting", "name", "text", "in the model", NULL },
    { "setting", "value", "real", "its number; of a boolean 0 or 1", NULL },
    { "setting", "help", "text", "what it means, in quotes", NULL },
    { "setting", "whole zero", "bool", "a whole number; may a run set it to 0?", NULL },

    { "decision", "kind", "text", "relu, norm, maxpool, choice or spn", NULL },
    { "decision", "name", "text", "the operator", NULL },
    { "decision", "tensor flat", "text", "C: the tensor that tells, at slice s; the same as a real *", NULL },
    { "decision", "statistics", "text", "norm: C of what scales x before a relu", NULL },
    { "decision", "C", "int", "norm: channels", NULL },
    { "decision", "slices size", "int", "groups x steps; elements of a slice", NULL },

    { "page", "name about path settings form hash", "text", "of the model; everything is escaped already", NULL },
    { "page", "parameters forward backward", "text", "how many; millions of multiply-adds", NULL },
    { "page", "values weights scratch saved apart", "text", "memory: tensors, parameters, scratch; share that reuse saved, and of how much", NULL },
    { "page", "graph articles memory table remarks", "text", "markup: the drawing, a box for each operator, the memory map, the table, what became of it", NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

/* ---- the templates ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name, *stem;     /* conv.c.in, conv */
    Source source;
    bool reached;
} Entry;

typedef struct { Arena *arena; Entry *entries; int count; } Manual;

/* Is `word` one of the words of `list`? */
static bool word_of(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *w = list; *w; w += strcspn(w, " "), w += *w == ' ')
        if (strcspn(w, " ") == n && memcmp(w, word, n) == 0)
            return true;
    return false;
}

static Manual manual_new(Arena *a, const char *dir)
{
    Manual m = { a, NEW_ARRAY(a, Entry, embedded_templates_count + 2 * (op_count - OP_COUNT)), embedded_templates_count };
    for (int k = OP_COUNT; k < op_count; k++) {
        if (outside_of((OpKind)k)->builtin)
            continue;                           /* they are among the embedded templates */
        const OutsideTemplate *own[2] = { &outside_of((OpKind)k)->fast, &outside_of((OpKind)k)->plain };
        for (int i = 0; i < 2; i++)
            m.entries[m.count++] = (Entry){ .name = own[i]->name, .stem = arena_copy(a, own[i]->name, strcspn(own[i]->name, ".")), .source = own[i]->source };
    }
    for (int i = 0; i < embedded_templates_count; i++) {
        Entry *e = &m.entries[i];
        e->name = embedded_templates[i].name;
        e->stem = arena_copy(a, e->name, strcspn(e->name, "."));
        if (template_load(a, dir, e->name, &e->source))
            template_load(a, NULL, e->name, &e->source);
    }
    return m;
}

static Entry *entry(const Manual *m, const char *name)
{
    for (int i = 0; i < m->count; i++)
        if (!strcmp(m->entries[i].name, name) || !strcmp(m->entries[i].stem, name))
            return &m->entries[i];
    return NULL;
}

/* True if `a` contains the name of `b` in quotes. */
static bool quotes(const Manual *m, const Entry *a, const Entry *b)
{
    return strstr(a->source.text, arena_printf(m->arena, "\"%s\"", b->name)) != NULL;
}

static void reach(const Manual *m, Entry *e)
{
    if (e->reached)
        return;
    e->reached = true;
    for (int i = 0; i < m->count; i++)
        if (quotes(m, e, &m->entries[i]))
            reach(m, &m->entries[i]);
}

/* The operators whose templates include e, directly or not, as words; empty for the file around them. */
static const char *kinds_of(const Manual *m, const Entry *e)
{
    Text kinds = { .arena = m->arena };
    for (int k = 0; k < op_count; k++) {
        const Outside *o = outside_of((OpKind)k);
        Entry *own[2] = { entry(m, o ? o->plain.name : op_table[k]->name), o ? entry(m, o->fast.name) : NULL };
        for (int i = 0; i < m->count; i++)
            m->entries[i].reached = false;
        for (int i = 0; i < 2; i++)
            if (own[i])
                reach(m, own[i]);
        if (e->reached)
            text_printf(&kinds, "%s%s", kinds.length ? " " : "", op_table[k]->name);
    }
    return kinds.text ? kinds.text : "";
}

/* The opening comment: the first lines in a row that begin with "% -- ". */
static const char *comment(const Manual *m, const Entry *e)
{
    Text text = { .arena = m->arena };
    const char *line = e->source.text;
    while (line && *line && strncmp(line, "% -- ", 5) != 0) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    for (; line && strncmp(line, "% -- ", 5) == 0; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t n = strcspn(line, "\n");
        text_printf(&text, "%.*s\n", (int)(n - 5), line + 5);
    }
    return text.text ? text.text : "";
}

static void list(const Manual *m, FILE *out)
{
    for (int i = 0; i < m->count; i++) {
        const Entry *e = &m->entries[i];
        const char *about = comment(m, e);
        for (int k = 0; k < 2; k++) {
            const char *prefix = arena_printf(m->arena, "%s: ", k ? e->stem : e->name);
            about += strncmp(about, prefix, strlen(prefix)) ? 0 : strlen(prefix);
        }
        fprintf(out, "  %-28s ", e->name);
        for (; *about && !(about[0] == '.' && (about[1] == ' ' || about[1] == '\n')); about++)
            fputc(*about == '\n' ? ' ' : *about, out);
        fputc('\n', out);
    }
    fprintf(out, "\nspnc templates NAME explains one, and the facts it may use. A file of that name in a folder of yours, given by --templates, is used instead;\n"
                 "spnc templates NAME -o FOLDER puts a copy there to begin with.\n");
}

/* ---- the page of one ------------------------------------------------------------------------------------------ */

enum { WIDTH = 26 };          /* of the column of names */

/* The kinds of `all` that have the fact. */
static const char *having(const Manual *m, const FactDoc *d, const char *all, bool *every)
{
    Text have = { .arena = m->arena };
    *every = true;
    for (int k = 0; k < op_count; k++) {
        if (!word_of(all, op_table[k]->name))
            continue;
        if (d->kinds && !word_of(d->kinds, k < OP_COUNT ? op_table[k]->name : "outside"))
            *every = false;
        else
            text_printf(&have, "%s%s", have.length ? " " : "", op_table[k]->name);
    }
    return have.text;
}

static void facts(const Manual *m, FILE *out, const char *table, const char *title, const char *kinds)
{
    fprintf(out, "\n%s\n", title);
    for (const FactDoc *d = fact_docs; d->table; d++) {
        bool every = true;
        const char *only = *kinds ? having(m, d, kinds, &every) : d->kinds;
        if (strcmp(d->table, table) != 0 || (*kinds && !only))
            continue;
        Text names = { .arena = m->arena };
        for (const char *c = d->names; *c; c++)
            text_printf(&names, "%c%s", *c == ' ' ? ',' : *c, *c == ' ' ? " " : "");
        if (names.length > WIDTH)
            fprintf(out, "  %s\n  %*s", names.text, WIDTH, "");
        else
            fprintf(out, "  %-*s", WIDTH, names.text);
        fprintf(out, " %-10s %s", d->type, d->meaning);
        if (only && (!every || !*kinds))
            fprintf(out, "  (%s)", only);
        fputc('\n', out);
    }
}

/* True if one of the operators of the list is described, not written in C. */
static bool described(const char *kinds)
{
    for (int k = OP_COUNT; k < op_count; k++)
        if (word_of(kinds, op_table[k]->name))
            return true;
    return false;
}

/* The tables below the fact op.schedule. */
static void schedule_tables(const Manual *m, FILE *out)
{
    bool inside = false;
    for (const FactDoc *d = fact_docs; d->table; d++) {
        inside = (inside || !strcmp(d->table, "schedule")) && strcmp(d->table, "parameter") != 0;
        if (inside && strcmp(d->table, d[-1].table) != 0)
            facts(m, out, d->table, strcmp(d->table, "schedule") ? d->table : "op.schedule", "");
    }
}

static void page(const Manual *m, FILE *out, const Entry *e)
{
    const char *kinds = kinds_of(m, e), *text = comment(m, e);
    Text by = { .arena = m->arena };
    for (int i = 0; i < m->count; i++)
        if (quotes(m, &m->entries[i], e))
            text_printf(&by, "%s%s", by.length ? ", " : "", m->entries[i].name);
    fprintf(out, "%s (%s)\n\n", e->name, e->source.path);
    for (const char *c = text; *c; c += strcspn(c, "\n") + 1)
        fprintf(out, "  %.*s\n", (int)strcspn(c, "\n"), c);
    if (by.text || *kinds)
        fputc('\n', out);
    if (*kinds)
        fprintf(out, "  operators    %s\n", kinds);
    if (by.text)
        fprintf(out, "  included by  %s\n", by.text);
    if (!strcmp(e->name, "show.html.in")) {
        facts(m, out, "page", "facts", "");
        return;
    }
    if (*kinds) {
        facts(m, out, "unit", "op: the operator", kinds);
        if (word_of(kinds, "conv") || word_of(kinds, "dense") || word_of(kinds, "conv_pool"))
            schedule_tables(m, out);
        facts(m, out, "value", "op.x, op.y, op.inputs[i]: its tensors", "");
        if (described(kinds))
            facts(m, out, "parameter", "op.parameters[i]", "");
        facts(m, out, "net", "net: the program", "");
        fprintf(out, "\nThe other facts of the whole file are there too: spnc templates net. What an including template gives beside them, its comment says.\n");
        return;
    }
    facts(m, out, "", "facts", "");
    for (const FactDoc *d = fact_docs; d->table; d++)
        if (*d->table && strcmp(d->table, "page") != 0 && strcmp(d->table, d[-1].table) != 0)
            facts(m, out, d->table, d->table, "");
}

const char *template_named(Arena *a, const char *name, const char **suggestion)
{
    int own = 2 * (op_count - OP_COUNT), count = embedded_templates_count + own;      /* spnc's own described ones are in both */
    const char **known = NEW_ARRAY(a, const char *, count);
    for (int i = 0; i < count; i++) {
        const Outside *o = i < own ? outside_of((OpKind)(OP_COUNT + i / 2)) : NULL;
        const char *file = !o ? embedded_templates[i - own].name : i % 2 ? o->plain.name : o->fast.name;
        known[i] = arena_copy(a, file, strcspn(file, "."));
        if (!strcmp(file, name) || !strcmp(known[i], name))
            return file;
    }
    *suggestion = diag_suggestion(a, name, known, count);
    return NULL;
}

void templates_print(Arena *a, FILE *out, const char *dir, const char *file)
{
    Manual m = manual_new(a, dir);
    if (file)
        page(&m, out, entry(&m, file));
    else
        list(&m, out);
}
