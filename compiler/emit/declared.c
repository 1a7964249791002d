/* declared.c -- what names in C stand for, by their declarations: whole numbers, places, or anything else.
 *
 * In: the tokens of a file, or of a function in it.  Out: its declarations; whether a term can be a real number.  Used by turns.c and index.c.
 * The one convention: whole is what is known to be so.  A name with two declarations is whole if both are, whichever it means; a name without
 * any, a call, a member of a structure may be real. */
#include "emit/declared.h"
#include <string.h>

static const char whole_types[] = "char short int long unsigned signed bool _Bool size_t ptrdiff_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t "
                                  "uint64_t uintptr_t intptr_t";
static const char no_types[] = "return else goto case default do sizeof if for while switch break continue";

static void declare(Declared *d, Token *first, Token *name, int rank, bool whole)
{
    Declaration *x = NEW(d->arena, Declaration);
    *x = (Declaration){ first, name, rank, whole };
    list_push(d->arena, &d->list, x);
}

/* The names of an enum's list. */
static void declare_enum(Declared *d, Token *open)
{
    for (Token *t = open->next; t != open->partner; t = t->next) {
        if (t->kind == CODE_NAME && code_is_any(t->prev, "{ ,"))
            declare(d, t, t, 0, true);
        t = t->partner ? t->partner : t;
    }
}

/* The type of that name, if it is one of the file; or NULL. */
static const Declaration *type_of(const Declared *d, const Token *word)
{
    for (; d; d = d->file)
        for (int i = 0; i < d->list.count; i++) {
            const Declaration *x = d->list.items[i];
            if (code_is(x->first, "typedef") && code_is(x->name, word->text))
                return x;
        }
    return NULL;
}

/* Begins a declarator at t, `(*p)[`, say, in parentheses? */
static bool in_parentheses(const Token *t) { return code_is(t, "(") && code_is(t->next, "*") && code_is_any(t->partner->next, "[ ("); }

/* Moves *t behind the words of a type; false: no declaration begins there. */
static bool take_type(Declared *d, Token **t, bool *whole, int *rank)
{
    bool any = false;
    *whole = false, *rank = 0;
    for (;;) {
        if (code_is_any(*t, "_Alignas __attribute__") && code_is((*t)->next, "("))
            *t = (*t)->next->partner->next;
        else if (code_is_any(*t, "enum struct union")) {
            const bool list = code_is(*t, "enum");
            *t = (*t)->next;
            *t = (*t)->kind == CODE_NAME ? (*t)->next : *t;
            if (list && code_is(*t, "{"))
                declare_enum(d, *t);
            *t = code_is(*t, "{") ? (*t)->partner->next : *t;
            any = true;
        } else if ((*t)->kind == CODE_NAME && !code_is_any(*t, no_types) &&
                   ((*t)->next->kind == CODE_NAME || code_is((*t)->next, "*") || in_parentheses((*t)->next))) {
            const Declaration *type = type_of(d, *t);
            *whole = *whole || code_is_any(*t, whole_types) || (type && type->whole);
            *rank += type ? type->rank : 0;
            any = true;
            *t = (*t)->next;
        } else
            return any;
    }
}

/* The names of the declaration that begins at t, if one does; `one`: a parameter. */
static void take(Declared *d, Token *first, bool one)
{
    bool whole;
    int of_type;
    Token *t = first;
    if (!take_type(d, &t, &whole, &of_type))
        return;
    for (;; t = t->next) {
        int rank = of_type;
        for (; code_is_any(t, "* ( const restrict volatile"); t = t->next)
            rank += code_is(t, "*");
        for (const Token *k = t->next; code_is_any(k, "[ )"); k = code_is(k, "[") ? k->partner->next : k->next)
            rank += code_is(k, "[");
        if (t->kind != CODE_NAME || !code_is_any(t->next, "[ , ; ) ="))
            return;
        declare(d, first, t, rank, whole);
        for (t = t->next; !code_is(t, ","); t = t->next) {
            if (t->kind == CODE_END || code_is_any(t, "; ] }"))
                return;
            t = code_is_any(t, "( [ {") ? t->partner : t;
        }
        if (one)
            return;
    }
}

static Declared *declared(Arena *a, const Declared *file)
{
    Declared *d = NEW(a, Declared);
    *d = (Declared){ .arena = a, .file = file };
    return d;
}

const Declared *declared_in_file(Code *c)
{
    Declared *d = declared(c->arena, NULL);
    for (Token *t = c->ends.next; t != &c->ends; t = t->next)
        if (t->kind == CODE_LINE && strstr(t->text, "define"))
            list_push(c->arena, &d->macros, t);
    for (Token *t = c->ends.next; t != &c->ends; t = t->next) {
        if (code_is_any(t->prev, "; }") || t->prev->kind == CODE_LINE || t->prev->kind == CODE_END)
            take(d, t, false);
        t = t->partner ? t->partner : t;
    }
    return d;
}

const Declared *declared_in_function(const Declared *file, Token *to)
{
    Declared *d = declared(file->arena, file);
    d->end = to;
    Token *const open = to->partner, *const parameters = code_is(open->prev, ")") ? open->prev->partner : NULL;
    for (Token *t = parameters ? parameters->next : open; t != open; t = t->next) {
        if (code_is_any(t->prev, "( ,"))
            take(d, t, true);
        t = code_is_any(t, "( [") ? t->partner : t;
    }
    for (Token *t = open; t != to; t = t->next)
        if (code_is_any(t->prev, "{ } ;") || (code_is(t->prev, "(") && code_is(t->prev->prev, "for")))
            take(d, t, false);
    return d;
}

/* The name's declaration, or NULL: it has none, or two that do not agree. */
static const Declaration *declaration_of(const Declared *d, const Token *name)
{
    const Declaration *found = NULL;
    for (; d && !found; d = d->file)
        for (int i = 0; i < d->list.count; i++) {
            const Declaration *x = d->list.items[i];
            if (!code_is(x->name, name->text))
                continue;
            if (code_is(x->first, "typedef") || (found && (x->rank != found->rank || x->whole != found->whole)))
                return NULL;
            found = x;
        }
    return found;
}

/* True if the name at *t, with the indices behind it, can be no real number; moves *t to the last of these, at most to `to`. */
static bool is_whole_name(const Declared *d, const Token **t, const Token *to)
{
    const Declaration *x = declaration_of(d, *t);
    const bool lanes = code_is(*t, "L"), member = code_is_any((*t)->prev, ". ->"); /* L is of runtime/real.h */
    int indices = 0;
    for (; *t != to && code_is((*t)->next, "["); indices++)
        *t = (*t)->next->partner;
    return !member && !code_is((*t)->next, "(") && ((lanes && !indices) || (x && (indices < x->rank || (indices == x->rank && x->whole))));
}

/* The end of the operand that is cast to a pointer, if such a cast begins at t, up to the token `to`; else NULL. */
static const Token *pointer_end(const Token *t, const Token *to)
{
    if (!code_is(t, "(") || t == to || !code_is(t->partner->prev, "*") || t->partner->next->kind != CODE_NAME)
        return NULL;
    for (t = t->partner->next; t != to && code_is_any(t->next, "[ (");)
        t = t->next->partner;
    return t;
}

bool declared_whole(const Declared *d, const Token *from, const Token *to)
{
    for (const Token *t = from;; t = t->next) {
        const Token *const pointer = pointer_end(t, to);
        if (pointer)
            t = pointer;
        else if (t->kind == CODE_NUMBER ? strpbrk(t->text, ".eEpP") && strncmp(t->text, "0x", 2) : t->kind == CODE_TEXT || t->kind == CODE_LINE || t->kind == CODE_END)
            return false;
        else if (t->kind == CODE_NAME) {
            if (!is_whole_name(d, &t, to))
                return false;
        } else if (code_is_any(t, ". -> { [") || (code_is(t, "*") && !code_ends_operand(t->prev)))
            return false;
        if (t == to)
            return true;
    }
}

/* Does t, the variable, change there, or get its address taken; or is it another thing of that name, a label or a declaration? */
static bool changes_at(const Declared *d, const Token *t)
{
    for (int i = 0; i < d->list.count; i++)
        if (((Declaration *)d->list.items[i])->name == t)
            return true;
    if (code_is_any(t->prev, "goto sizeof ##") || (code_is(t->next, ":") && code_is_any(t->prev, "{ } ; :")))
        return true;
    const Token *before = t->prev, *behind = t->next;
    for (; code_is(before, "(") && code_is(behind, ")") && !code_ends_operand(before->prev); before = before->prev)
        behind = behind->next;
    return code_is_any(behind, "= += -= *= /= %= &= |= ^= <<= >>= ++ --") || code_is_any(before, "++ --") ||
           (code_is(before, "&") && !code_ends_operand(before->prev));
}

bool declared_changes(const Declared *d, const Token *from, const Token *to, const char *variable)
{
    for (const Token *t = from;; t = t->next) {
        if (code_is(t, "offsetof") || (code_names(t, variable) && changes_at(d, t)))
            return true;
        if (t == to)
            return false;
    }
}

/* Is the word in the line of the preprocessor? */
static bool has_word(const char *line, const char *word)
{
    for (const char *at = line; (at = strstr(at, word)); at++) {
        const char around[] = { at > line ? at[-1] : ' ', at[strlen(word)], 0 };
        if (strcspn(around, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(around))
            return true;
    }
    return false;
}

const Declaration *declared_constant(const Declared *d, const Token *name)
{
    const Declaration *found = NULL;
    for (int i = 0; i < d->list.count; i++) {
        const Declaration *x = d->list.items[i];
        if (!code_is(x->name, name->text) || !code_stays(x->name))
            continue;
        if (found)
            return NULL;
        found = x;
    }
    if (!found || !code_is(found->first, "int") || found->rank || !code_is(found->name->next, "=") || code_is(found->first->prev, "("))
        return NULL;
    for (const Token *t = d->end->partner; t != d->end; t = t->next)
        if (t->kind == CODE_LINE && has_word(t->text, name->text))
            return NULL;
    const Token *behind = found->name->next->next;
    return declared_in_macro(d, name->text) || declared_changes(d, behind, d->end, name->text) ? NULL : found;
}

bool declared_in_macro(const Declared *d, const char *word)
{
    d = d->file ? d->file : d;
    for (int i = 0; i < d->macros.count; i++)
        if (has_word(((Token *)d->macros.items[i])->text, word))
            return true;
    return false;
}
