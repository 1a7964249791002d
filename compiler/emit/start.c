/* start.c -- the numbers of a file as a part of the program: what parameters start as.
 *
 * In: Weight.start.  Out: m->start (NAME_start.c), m->start_numbers (NAME.start).  Each list is in the exported order of its parameter; the program puts the
 * numbers into its layout (trainer/run/weights.c). */
#include "emit/start.h"
#include "graph/model.h"
#include <string.h>

enum { BY_ASSEMBLER = 1 << 18, A_LINE = 6 };         /* numbers: beyond, a C compiler takes long */

bool start_given(const Model *m)
{
    for (int k = 0; weight_at(m, k); k++)
        if (weight_at(m, k)->start)
            return true;
    return false;
}

static void as_numbers(Model *m, int64_t count)
{
    int64_t at = 0;
    text_printf(&m->start, "static const real start_numbers[%lld] = {", (long long)count);
    for (int k = 0; weight_at(m, k); k++)
        for (int64_t i = 0; weight_at(m, k)->start && i < shape_count(&weight_at(m, k)->shape); i++)
            text_printf(&m->start, "%s%a%s,", at++ % A_LINE ? " " : "\n    ", weight_at(m, k)->start[i], m->options.is_double ? "" : "f");
    text_printf(&m->start, "\n};\n");
}

/* The name is one of the whole program, since gcc's -flto may put this text and what reads the numbers into different objects. */
static void by_assembler(Model *m, int64_t count)
{
    for (int k = 0; weight_at(m, k); k++)
        for (int64_t i = 0; weight_at(m, k)->start && i < shape_count(&weight_at(m, k)->shape); i++) {
            const double wide = weight_at(m, k)->start[i];
            const float narrow = (float)wide;
            text_add(&m->start_numbers, m->options.is_double ? (const char *)&wide : (const char *)&narrow, m->options.is_double ? sizeof wide : sizeof narrow);
        }
    text_printf(&m->start,
                "__asm__(\".pushsection .rodata\\n.balign 64\\n.globl %s_start_numbers\\n.hidden %s_start_numbers\\n"
                "%s_start_numbers:\\n.incbin \\\"%s.start\\\"\\n.popsection\\n\");\n"
                "extern const real start_numbers[%lld] __asm__(\"%s_start_numbers\") __attribute__((visibility(\"hidden\")));\n",
                m->name, m->name, m->name, m->name, (long long)count, m->name);
}

void start_write(Model *m)
{
    int64_t count = 0, at = 0;
    m->start = m->start_numbers = (Text){ .arena = m->arena };
    for (int k = 0; weight_at(m, k); k++)
        count += weight_at(m, k)->start ? shape_count(&weight_at(m, k)->shape) : 0;
    if (!count)
        return;
    text_printf(&m->start, "/* SPDX-License-Identifier: 0BSD */\n/* %s_start.c -- made by spnc: the numbers of files that parameters of %s start as.  %s-train.c includes it. */\n",
                m->name, m->name, m->name);
    (count <= BY_ASSEMBLER ? as_numbers : by_assembler)(m, count);
    text_printf(&m->start, "\n/* Parameters, then running statistics, by their numbers in NAME.c's tables. */\nstatic const NetStart starts[] = {\n");
    for (int k = 0; weight_at(m, k); k++) {
        if (!weight_at(m, k)->start)
            continue;
        text_printf(&m->start, "    { %d, start_numbers + %lld },     /* %s */\n", k, (long long)at, weight_at(m, k)->name);
        at += shape_count(&weight_at(m, k)->shape);
    }
    text_printf(&m->start, "    { -1, NULL },\n};\n");
}
