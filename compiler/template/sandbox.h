/* sandbox.h -- Lua as templates and descriptions of operators may use it.  Functions that take a lua_State may raise Lua errors. */
#ifndef SPNC_SANDBOX_H
#define SPNC_SANDBOX_H

#include "template/fact.h"

#include <lua.h>

/* First member of the struct that a user keeps for a Lua state: the state's extra space points to it. */
typedef struct {
    Arena *arena;
    const char *what;              /* "template" or "description": as messages call it */
    lua_State *lua;
    size_t memory, work;           /* bytes alive, bytes ever made */
    bool exceeded;                 /* the allocator saw a limit passed; the hook decides */
    int64_t instructions;
} Sandbox;

lua_State *sandbox_open(Sandbox *box);                     /* NULL: no memory; the caller closes it */
void sandbox_world(lua_State *L);                          /* makes the built-in functions */
void sandbox_limit(lua_State *L);                          /* from here on instructions count */
bool sandbox_builtin(lua_State *L, int key);               /* pushes the function named by the text at `key`; pushes nothing if there is none */
void sandbox_metatable(lua_State *L, const void *key, lua_CFunction index, lua_CFunction write, lua_CFunction length);

const Fact *sandbox_fact(lua_State *L, int at);            /* the fact of the table at that index, or NULL */
void sandbox_push(lua_State *L, const Fact *f);
bool sandbox_field(lua_State *L, int table, int key);      /* pushes table[key] of a fact or a plain table; nothing if it is not set */
const char *sandbox_suggestion(lua_State *L, const Fact *f, const char *word);     /* "; did you mean 'x'?" or nothing */
void sandbox_number(lua_State *L, int at, char text[40]);  /* a number as C reads it back */

#endif
