/* question.h -- a question: one run of the description of an operator from outside; describe.c reads the result, question.c runs the
 * Lua. */
#ifndef QUESTION_H
#define QUESTION_H

#include "outside/outside.h"
#include "template/sandbox.h"

typedef struct {
    Sandbox box;               /* first: see sandbox.h */
    Arena *arena;
    Diag *diag;
    Outside *o;
    Model *m;                  /* describe_use: of which model ... */
    const Op *op;              /* ... and operator; NULL while the description itself is read */
    Told *told;
    const char *word;          /* the message is placed at this word of the file; NULL: at Lua's line */
    int line;                  /* Lua's */
    const char *refusal;
    bool reported;
} Question;

Question *question_of(lua_State *L);

/* Runs `what` in a new state; false after reporting. */
bool question_ask(Question *q, lua_CFunction what);
/* For `what`: runs the file; its table is then at stack index 1 and alone on the stack. */
void question_open(lua_State *L);
/* For `what`: ends it with a message about the row or field called `word`; the format is lua_pushfstring's. */
_Noreturn void question_fault(lua_State *L, const char *word, const char *format, ...);
/* For `what`: ends it, because the model does not fit or all errors are reported. */
_Noreturn void question_refuse(lua_State *L, const char *text);
_Noreturn void question_end(lua_State *L);

#endif
