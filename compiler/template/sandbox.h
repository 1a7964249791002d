/* sandbox.h -- Lua as templates and descriptions of operators may use it.  Functions that take a lua_State may raise Lua errors. */
#ifndef SPNC_SANDBOX_H
#define SPNC_SANDBOX_H

#include "template/fact.h"

#include <lua.h>
#include <time.h>

/* First member of the struct that a user keeps for a Lua state: the state's extra space points to it. */
typedef struct {
    Arena *arena;
    const char *what;              /* "template" or "description": as messages call it */
    lua_State *lua;
    size_t memory, work, kept;     /* bytes alive, bytes ever made, bytes copied into the arena */
    size_t largest, longest;       /* bytes of the largest table and of the longest text that the Lua could look at */
    void *texts;                   /* Lua's own table of short texts */
    bool ours;                     /* tables that are made now are not the template's */
    bool exceeded;                 /* the allocator saw a limit passed; the hook decides */
    int64_t instructions;
    int step;                      /* instructions between two looks at the limits: fewer where one takes longer */
    clock_t time, last;            /* of the processor: used, and when it was looked at */
} Sandbox;

lua_State *sandbox_open(Sandbox *box);                     /* NULL: no memory; the caller closes it */
void sandbox_world(lua_State *L);                          /* makes the built-in functions */
void sandbox_limit(lua_State *L);                          /* from here on instructions count */
void sandbox_charge(lua_State *L, size_t n);               /* work in C that takes as long as n instructions; an error beyond the limit */
void sandbox_keep(lua_State *L, size_t n);                 /* n bytes go into the arena, where they stay; an error beyond the limit */
void sandbox_load(lua_State *L, const char *text, size_t n, const char *name);     /* pushes the text as a function; an error where it is no Lua */
bool sandbox_builtin(lua_State *L, int key);               /* pushes the function named by the text at `key`; pushes nothing if there is none */
void sandbox_metatable(lua_State *L, const void *key, lua_CFunction index, lua_CFunction write, lua_CFunction length);

const Fact *sandbox_fact(lua_State *L, int at);            /* the fact of the table at that index, or NULL */
void sandbox_push(lua_State *L, const Fact *f);
bool sandbox_field(lua_State *L, int table, int key);      /* pushes table[key] of a fact or a plain table; nothing if it is not set */
const char *sandbox_suggestion(lua_State *L, const Fact *f, const char *word);     /* "; did you mean 'x'?" or nothing */
void sandbox_number(lua_State *L, int at, char text[40]);  /* a number as C reads it back */
const char *sandbox_message(Arena *a, const char *message);   /* what Lua said, as a user reads it: its beginning if it is long; NULL: that there is no text */

#endif
