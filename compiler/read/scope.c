/* scope.c -- the parameters of a model by their names; expr.c fills the Scope, syntax.c and all readers look names up in it. */
#include "spnc.h"

#include <string.h>

Param *scope_find(const Scope *scope, const char *name, size_t n)
{
    for (; scope; scope = scope->outer)
        for (int i = 0; i < scope->count; i++)
            if (strlen(scope->params[i].name) == n && memcmp(scope->params[i].name, name, n) == 0)
                return &scope->params[i];
    return NULL;
}

const Param *scope_param(const Scope *scope, const char *name) { return scope_find(scope, name, strlen(name)); }
