/* question.c -- runs the Lua of a description, NAME.op.lua, and reports its errors.
 *
 * In: the description's text, and a C function that reads its table.  Out: the results of that function in the Question, or a message.
 * Each question has a Lua state of its own and runs the file again, so no answer depends on an earlier one.  The one convention: an error
 * in a description is reported by question_fault, at a word of the file, or else at Lua's own line; an error in the model is reported by
 * `refuse`, which only a description calls.  Lua errors unwind over these frames, which own nothing but arena memory. */
#include "outside/question.h"
#include "base/embed.h"
#include "template/point.h"

#include <lauxlib.h>
#include <string.h>

Question *question_of(lua_State *L)
{
    return (Question *)*(Sandbox **)lua_getextraspace(L);
}

static const char env_meta;    /* a registry key: its address is what counts */

/* ---- errors ---- */

_Noreturn void question_fault(lua_State *L, const char *word, const char *format, ...)
{
    Question *q = question_of(L);
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    q->word = arena_copy(q->arena, word, strlen(word));
    lua_error(L);
    unreachable("lua_error");
}

_Noreturn void question_refuse(lua_State *L, const char *text)
{
    Question *q = question_of(L);
    q->refusal = arena_copy(q->arena, text, strlen(text));
    lua_pushstring(L, text);
    lua_error(L);
    unreachable("lua_error");
}

_Noreturn void question_end(lua_State *L)
{
    question_of(L)->reported = true;
    lua_pushnil(L);
    lua_error(L);
    unreachable("lua_error");
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* A row's name stands in quotes, a field's before its '=', `return` at the beginning of its line; else the first line is meant. */
Loc description_place(const Source *s, const char *word)
{
    size_t n, length = strlen(word);
    bool whole = strcmp(word, "return") == 0;
    for (int quoted = 1; quoted >= 0; quoted--) {
        const char *line;
        for (int k = 1; (line = point_line(s, k, &n)) != NULL; k++) {
            size_t at = whole ? 0 : strspn(line, " \t");
            if (at + 1 < n && line[at] == '-' && line[at + 1] == '-')
                continue;
            for (; at + length <= n && !(whole && at); at++) {
                size_t end = at + length;
                char before = at ? line[at - 1] : ' ', after = end < n ? line[end] : ' ';
                while (!quoted && end < n && (line[end] == ' ' || line[end] == '\t'))
                    end++;
                if (memcmp(line + at, word, length) == 0 && !in_word(before) && !in_word(after)
                    && (quoted ? (before == '"' || before == '\'') && after == before : whole || (end < n && line[end] == '=')))
                    return point_at(s, k, line + at, length, "");
            }
        }
    }
    return (Loc){ .line = 1, .file = s };
}

/* Lua's message handler: runs at the error, before the stack unwinds. */
static int handle(lua_State *L)
{
    Question *q = question_of(L);
    if (q->refusal || q->reported)
        return 1;
    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_pushfstring(L, "error was called with a %s, not with text", luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    int n = 0;
    const char *message = lua_tostring(L, 1);
    if (sscanf(message, "description:%d: %n", &q->line, &n) == 1 && n) {
        lua_pushstring(L, message + n);
        return 1;
    }
    lua_Debug frame;
    for (int level = 0; !q->word && level < 200 && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (strcmp(frame.source, "=description") == 0) {
            q->line = frame.currentline;
            break;
        }
    }
    return 1;
}

static void report(Question *q, const char *message)
{
    const Source *s = &q->o->source;
    size_t n;
    const char *line = !q->word && q->line ? point_line(s, q->line, &n) : NULL;
    Loc at = q->word ? description_place(s, q->word) : line ? point_at(s, q->line, line, n, message) : (Loc){ .line = q->line ? q->line : 1, .file = s };
    diag_error(q->diag, at, "%s", message);
    if (q->op)
        diag_note(q->diag, q->op->loc, "while %s (%s) was asked for its sizes", q->op->name, q->o->info.name);
}

/* ---- the world of a description ---- */

static int env_index(lua_State *L)
{
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
    return sandbox_builtin(L, 2) ? 1 : luaL_error(L, "'%s' is not set here", name);
}

static int env_write(lua_State *L)
{
    return luaL_error(L, "'%s' cannot be set: write 'local %s'", lua_tostring(L, 2), lua_tostring(L, 2));
}

/* refuse(text): reports that the model does not fit this operator. */
static int lua_refuse(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    if (!question_of(L)->op)
        return luaL_error(L, "'refuse' is for functions that are asked about an operator of a model");
    question_refuse(L, text);
}

/* Runs the Lua with the table at `env` for its globals; its one result is then on top. */
static void run(lua_State *L, const char *text, size_t length, const char *name, int env)
{
    sandbox_load(L, text, length, name);
    lua_pushvalue(L, env);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
}

void question_open(lua_State *L)
{
    const Source *s = &question_of(L)->o->source;
    sandbox_world(L);
    lua_settop(L, 0);
    sandbox_metatable(L, &env_meta, env_index, env_write, NULL);
    lua_newtable(L);
    lua_pushcfunction(L, lua_refuse);
    lua_setfield(L, 1, "refuse");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &env_meta);
    lua_setmetatable(L, 1);
    sandbox_limit(L);
    for (int i = 0; i < embedded_helpers_count; i++) {
        const EmbeddedFile *e = &embedded_helpers[i];
        run(L, (const char *)e->bytes, e->size, arena_printf(question_of(L)->arena, "=%s", e->name), 1);
        for (lua_pushnil(L); lua_next(L, 2); lua_settop(L, 3)) {
            lua_pushvalue(L, 3);
            lua_pushvalue(L, 4);
            lua_rawset(L, 1);
        }
        lua_settop(L, 1);
    }
    run(L, s->text, s->length, "=description", 1);
    lua_replace(L, 1);
    if (!lua_istable(L, 1))
        question_fault(L, "return", "a description returns a table: return { about = \"...\", ... }");
}

/* All questions together have the limits of one expansion: for a model that does not fit there are many questions. */
bool question_ask(Question *q, lua_CFunction what)
{
    static int64_t instructions;
    static size_t work, kept;
    static clock_t time;
    q->box.instructions = instructions, q->box.work = work, q->box.kept = kept, q->box.time = time;
    lua_State *L = sandbox_open(&q->box);
    if (!L) {
        report(q, "no memory to start Lua");
        return false;
    }
    lua_pushcfunction(L, handle);
    lua_pushcfunction(L, what);
    int status = lua_pcall(L, 0, 0, 1);
    if (status != LUA_OK && q->refusal)
        shape_refuse(q->m, q->op, "%s", sandbox_message(q->arena, q->refusal));
    else if (status != LUA_OK && !q->reported)
        report(q, status == LUA_ERRMEM ? "the description needs more than 64 MiB of memory" : sandbox_message(q->arena, lua_tostring(L, -1)));
    lua_close(L);
    instructions = q->box.instructions, work = q->box.work, kept = q->box.kept, time = q->box.time;
    return status == LUA_OK;
}

