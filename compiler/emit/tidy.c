/* tidy.c -- leaves out of the emitted C what a template need not ask for, function by function: loops of one turn, factors of one, terms of 0; and
 * breaks long lines.
 *
 * In: C as the templates laid it out.  Out: the same C.  Next: the generated folder.
 * The one convention: what cannot be read without the preprocessor, brackets that do not match, say, stays as it is. */
#include "emit/tidy.h"
#include "emit/constants.h"
#include "emit/ones.h"
#include "emit/turns.h"
#include "emit/wrap.h"

/* All functions of the file, and what stands between them. */
static void leave_out(Code *c, bool turns)
{
    const Declared *file = declared_in_file(c);
    Token *before = &c->ends, *from = c->ends.next;
    for (Token *t = from; t != &c->ends; t = t->next) {
        if (code_is(t, "{") && code_is(t->prev, ")")) {
            const Declared *here = declared_in_function(file, t->partner);
            do {
                if (turns)
                    turns_leave_out(c, here, from, t);
                ones_leave_out(c, here, t, t->partner);
            } while (turns && constants_put(c, here));
            ones_leave_out(c, file, before, t);
            before = t->partner;
        }
        t = t->partner ? t->partner : t;
        if (code_is_any(t, "; }") || t->kind == CODE_LINE)
            from = t->next;
    }
    ones_leave_out(c, file, before, &c->ends);
}

void tidy(Text *text, bool turns)
{
    Code *c = code_read(text->arena, text->text ? text->text : "");
    if (c) {
        leave_out(c, turns);
        *text = (Text){ .arena = text->arena };
        code_write(c, text);
    }
    wrap(text);
}
