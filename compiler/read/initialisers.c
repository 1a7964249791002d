/* initialisers.c -- the table of initialisers: one row each, how the elements of a weight start.
 *
 * In: nothing.  Out: initialisers[].  A row has the initialiser's words, the rule by which a program fills the weight, and that rule's number, reckoned here from
 * the weight's shape.  The one convention: a row names its rule in small letters; the rule is start_NAME in trainer/run/weights.c. */
#include "read/language.h"
#include <math.h>
#include <string.h>

/* Fans after Glorot and Bengio (2010) and He et al. (2015). */
static double glorot_uniform(double in, double out, double number) { return (void)number, sqrt(6 / (in + out)); }
static double glorot_normal(double in, double out, double number) { return (void)number, sqrt(2 / (in + out)); }
static double he_uniform(double in, double out, double number) { return (void)out, (void)number, sqrt(6 / in); }
static double he_normal(double in, double out, double number) { return (void)out, (void)number, sqrt(2 / in); }
static double one(double in, double out, double number) { return (void)in, (void)out, (void)number, 1; }
static double given(double in, double out, double number) { return (void)in, (void)out, number; }

const InitSpec initialisers[] = {
    { .name = "glorot_uniform", .help = "uniform in [-a, a], a = sqrt(6 / (fan in + fan out))", .rule = "uniform", .value = glorot_uniform },
    { .name = "glorot_normal", .help = "normal with deviation sqrt(2 / (fan in + fan out))", .rule = "normal", .value = glorot_normal },
    { .name = "he_uniform", .help = "uniform in [-a, a], a = sqrt(6 / fan in)", .rule = "uniform", .value = he_uniform },
    { .name = "he_normal", .help = "normal with deviation sqrt(2 / fan in)", .rule = "normal", .value = he_normal },
    { .name = "zeros", .help = "0", .rule = "constant" },
    { .name = "ones", .help = "1", .rule = "constant", .value = one },
    { .name = "normal", .number = true, .help = "normal with this deviation: { normal: 0.1 }", .rule = "normal", .value = given },
    { .name = "uniform", .number = true, .help = "uniform in [-a, a]: { uniform: 0.1 }", .rule = "uniform", .value = given },
    { .name = "constant", .number = true, .help = "this number: { constant: 0 }", .rule = "constant", .value = given },
    { .name = "identity_affine", .help = "a dense layer of 6 units that starts as the identity transform: weight 0, bias 1 0 0 0 1 0", .rule = "constant",
      .bias_rule = "identity_affine", .units = 6, .units_what = "a 2x3 transform" },
    { 0 },
};

const InitSpec *initialiser_named(const char *name)
{
    for (const InitSpec *i = initialisers; i->name; i++)
        if (strcmp(i->name, name) == 0)
            return i;
    return NULL;
}
