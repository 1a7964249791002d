/* reason.c -- the algorithm of an operator in a few words, and the rule that chose it in a sentence or two.
 *
 * In: the graph after kernel.c.  Used by show, explain and the page. */
#include "formula/formula.h"
#include "lower/winograd.h"
#include "tell/card.h"
#include <string.h>

static void tiles_text(Text *t, int64_t size)
{
    int tiles[WINOGRAD_TILES], n = winograd_tiles(size, tiles);
    for (int i = 0; i < n && i < 6; i++)
        text_printf(t, "%s%d", i ? "+" : "", tiles[i]);
    if (n > 6)
        text_printf(t, "+...");
}

const char *kernel_name(const Model *m, const Op *op)
{
    Text t = { .arena = m->arena };
    if (op->kind == OP_conv && op->kernel.winograd) {
        text_printf(&t, "winograd ");
        tiles_text(&t, op->writes[0].tensor->shape.dim[1]);
        text_printf(&t, " x ");
        tiles_text(&t, op->writes[0].tensor->shape.dim[2]);
    } else if (op->kind == OP_conv || op->kind == OP_conv_transpose) {
        text_printf(&t, "direct");
    } else if (op->kind == OP_conv_pool) {
        text_printf(&t, "conv, relu, pool at once");
    } else if (op->kernel.openblas) {
        text_printf(&t, "whole batch, by OpenBLAS");
    } else {
        text_printf(&t, "%s", m->lanes == 1 ? "example by example" : OP_INFO(op)->whole_batch ? "whole batch" : "group by group");
    }
    if (op->fuse.act != OP_NONE)
        text_printf(&t, ", then %s", op_table[op->fuse.act]->name);
    const char *formula = op->stores.then ? formula_steps_text(m->arena, op->stores.then, "y") : NULL;
    if (formula)
        text_printf(&t, ", then %s", strchr(formula, '\n') ? "several formulas" : formula);
    if (op->norms.applies)
        text_printf(&t, ", then %s", OP_INFO(op->norms.applies)->name);
    if (op->share.dropout)
        text_printf(&t, ", then dropout");
    return t.text;
}

const char *kernel_reason(const Model *m, const Op *op)
{
    if (op->kind == OP_conv) {
        const char *why = kernel_misfit(m, op);
        if (!op->kernel.winograd)
            return arena_printf(m->arena, "Direct convolution: %s. Each output is one chain of multiply-adds, bias first, then channels, kernel rows, "
                                          "kernel columns.", why ? why : "it was chosen");
        return arena_printf(m->arena, "Winograd's algorithm: 3x3, stride 1, padding at most 1, at least 8 channels and filters, so it takes %.2f of the multiplications "
                                      "of direct convolution. Tiles cover the output exactly and are of at most 6x6: larger ones save more, but their rounding "
                                      "error grows fast. `winograd: never` on the layer gives the plain sums.%s", winograd_share(op->writes[0].tensor->shape.dim[1], op->writes[0].tensor->shape.dim[2]),
                            kernel_packs(m, op) ? arena_printf(m->arena, " The last group is not full: %d tiles share a vec there.", kernel_packs(m, op)) : "");
    }
    if (op->kind == OP_conv_pool)
        return "One channel: the convolution does little work for what it would write, so relu and the 2x2 pool are taken in, the map between them "
               "never exists, and both gradients start from the pool's winners, a quarter of the positions.";
    if (op->kind == OP_augment)
        return "Beside the load and in the form of the file, example by example, on the thread that takes the group. What chance decides follows from seed, epoch and "
               "the example's number, so it is the same for any batch, any threads, and after a stop. Outside of training the examples are copied as they are.";
    if (m->lanes == 1)
        return "The plain form works on one example at a time, by textbook loops.";
    if (op->kernel.openblas)
        return "The model says `gemm: openblas`: one product for all groups (and, outside of a loop, all steps) at once, examples side by side, its "
               "rows shared out over the threads in pieces that follow from its sizes; each calls OpenBLAS, on one thread. The order of "
               "sums is OpenBLAS's, so bits may change with its version and with the processor. Without the attribute the kernel is our own.";
    if (op->kind == OP_dense)
        return "One product for all groups (and, outside of a loop, all steps) at once, shared out over the threads inside: the weights are read once "
               "for the whole batch instead of once a group. Inputs are summed in order.";
    if (OP_INFO(op)->whole_batch)
        return "Called once for the whole batch; its work is shared out over the threads inside.";
    return "Sixteen examples side by side in the lanes of a vector; each group on one thread, together with its neighbours in the phase, "
           "while its values are still in the cache.";
}
