/* arguments.c -- options by a table: finds the row of an argument, reads its value and stores it in the row's field.
 *
 * In: rows and argv.  Out: the fields of the program's struct, or an OptionError.  Shared by the programs that spnc builds and by spn-data.
 * Convention: only help is printed here; each program prints its own error messages. */
#include "files/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool option_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strstr(list, name); p; p = strstr(p + 1, name))
        if (p > list && p[-1] == ' ' && p[n] == ' ')
            return true;
    return false;
}

size_t option_length(const char *argument)
{
    const char *equals = strncmp(argument, "--", 2) ? NULL : strchr(argument, '=');
    return equals ? (size_t)(equals - argument) : strlen(argument);
}

const Option *option_find(const Option *rows, int count, const char *argument)
{
    size_t n = option_length(argument);
    for (const Option *o = rows; o < rows + count; o++)
        if (strlen(o->name) == n && !strncmp(o->name, argument, n))
            return o;
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

static bool whole(uint64_t *v, const Option *o, const char *text)
{
    char *end;
    errno = 0;
    *v = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *v >= o->least && *v <= o->most;
}

/* "90s", "10m", "1.5h", "500ms"; a bare number counts seconds. */
static bool duration(double *seconds, const char *text)
{
    static const struct { const char *unit; double seconds; } units[] = { { "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "m", 60 },
                                                                          { "h", 3600 }, { "d", 86400 } };
    char *end;
    double v = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (*text >= '0' && *text <= '9' && isfinite(v) && v > 0 && !strcmp(end, units[i].unit)) {
            *seconds = v * units[i].seconds;
            return true;
        }
    return false;
}

static bool in_choices(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (n && !strncmp(p, text, n) && (p[n] == '|' || !p[n]))
            return true;
    return false;
}

static bool store(void *at, const Option *o, const char *text)
{
    uint64_t v = 0;
    bool fine = true;
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)at = true; break;
    case OPTION_TEXT:
        if ((fine = *text))
            *(const char **)at = text;
        break;
    case OPTION_CHOICE:
        if ((fine = in_choices(o->argument, text)))
            *(const char **)at = text;
        break;
    case OPTION_INT:
        if ((fine = whole(&v, o, text)))
            *(int *)at = (int)v;
        break;
    case OPTION_INT64:
        if ((fine = whole(&v, o, text)))
            *(int64_t *)at = (int64_t)v;
        break;
    case OPTION_SEED:
        if ((fine = whole(&v, o, text)))
            *(uint64_t *)at = v;
        break;
    case OPTION_DURATION: fine = duration(at, text); break;
    case OPTION_OWN: break;
    }
    return fine;
}

static void say_expected(OptionError *e, const Option *o)
{
    if (o->kind == OPTION_INT || o->kind == OPTION_INT64 || o->kind == OPTION_SEED)
        snprintf(e->expected, sizeof e->expected, "a whole number from %llu to %llu", (unsigned long long)o->least,
                 (unsigned long long)o->most);
    else
        snprintf(e->expected, sizeof e->expected, "%s", o->kind == OPTION_DURATION ? "a time above zero as in 90s, 10m, 2h" : o->argument);
}

bool option_read(void *into, const char **value, const Option *o, int argc, char **argv, int *i, OptionError *e)
{
    const char *text = argv[*i] + option_length(argv[*i]);
    text = *text ? text + 1 : NULL;
    *e = (OptionError){ .fault = OPTION_NEEDS_VALUE };
    if (o->kind == OPTION_FLAG && text) {
        e->fault = OPTION_TAKES_NONE;
        e->value = text;
        return false;
    }
    if (o->kind != OPTION_FLAG && !text && !(text = ++*i < argc ? argv[*i] : NULL))
        return false;
    if (!store((char *)into + o->at, o, text)) {
        e->fault = OPTION_WRONG_VALUE;
        e->value = text;
        say_expected(e, o);
        return false;
    }
    if (o->given)
        *(bool *)((char *)into + o->given) = true;
    *value = text;
    return true;
}

void option_print(const Option *o, int width, const char *note)
{
    char left[40];
    snprintf(left, sizeof left, "%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    printf("  %-*s%s %s%s\n", width, left, strlen(left) < (size_t)width ? "" : " ", o->help, note);      /* two spaces at least: install/man.sh cuts there */
}
