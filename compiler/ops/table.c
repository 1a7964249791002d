/* table.c -- the table of operators: a row for each row of ops.def, and a second one for each that is a loss.
 *
 * The stages reach operators through op_table and loss_table alone (graph.c), so that an operator can use the stages' helpers and no
 * stage an operator's file. */
#include "spnc.h"

#define OP(name) extern const OpInfo op_##name;
#include "ops/ops.def"
#define OP(name)
#define LOSS(name) extern const LossInfo loss_##name;
#define ELEMENT(name)
#include "ops/ops.def"

/* Operators that whole numbers may stand before. */
static const OpKind keep_whole[] = { OP_concat, OP_slice, OP_reshape, OP_flatten, OP_last, OP_stack, OP_pick, OP_copy };
static const OpKind take_whole[] = { OP_one_hot, OP_to_real, OP_embedding };

void ops_register(void)
{
    static const OpInfo *const own[] = {
#define OP(name) &op_##name,
#include "ops/ops.def"
    };
    for (op_count = 0; op_count < OP_COUNT; op_count++)
        op_table[op_count] = own[op_count];
#define OP(name)
#define LOSS(name)
#define ELEMENT(name) op_elements[OP_##name] = true;
#include "ops/ops.def"
#define OP(name)
#define LOSS(name) loss_table[OP_##name] = &loss_##name;
#define ELEMENT(name)
#include "ops/ops.def"
    for (size_t i = 0; i < sizeof keep_whole / sizeof *keep_whole; i++)
        op_whole[keep_whole[i]] = WHOLE_KEPT;
    for (size_t i = 0; i < sizeof take_whole / sizeof *take_whole; i++)
        op_whole[take_whole[i]] = WHOLE_TAKEN;
}
