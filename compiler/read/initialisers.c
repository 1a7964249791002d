/* initialisers.c -- the table of initialisers: one row each, for the initial values of a weight.
 *
 * In: nothing.  Out: initialisers[].  A row has the initialiser's words, the rule by which a program fills the weight, and that rule's
 * number, reckoned here from the weight's shape.  The one convention: a row names its rule in small letters; the rule is start_NAME in
 * trainer/run/weights.c. */
#include "read/language.h"
#include <math.h>
#include <string.h>

/* Fans after Glorot and Bengio (2010) and He et al. (2015). */
static double glorot_uniform(double in, double out, double gain) { return gain * sqrt(6 / (in + out)); }
static double glorot_normal(double in, double out, double gain) { return gain * sqrt(2 / (in + out)); }
static double he_uniform(double in, double out, double gain) { return (void)out, gain * sqrt(6 / in); }
static double he_normal(double in, double out, double gain) { return (void)out, gain * sqrt(2 / in); }
static double one(double in, double out, double number) { return (void)in, (void)out, (void)number, 1; }
static double given(double in, double out, double number) { return (void)in, (void)out, number; }

const InitSpec initialisers[] = {
    { .name = "glorot_uniform", .fans = true, .gain = true, .rule = "uniform", .value = glorot_uniform,
      .help = "uniform in [-a, a], a = gain sqrt(6 / (fan in + fan out))" },
    { .name = "glorot_normal", .fans = true, .gain = true, .rule = "normal", .value = glorot_normal,
      .help = "normal with deviation gain sqrt(2 / (fan in + fan out))" },
    { .name = "he_uniform", .fans = true, .gain = true, .rule = "uniform", .value = he_uniform, .help = "uniform in [-a, a], a = gain sqrt(6 / fan in)" },
    { .name = "he_normal", .fans = true, .gain = true, .rule = "normal", .value = he_normal, .help = "normal with deviation gain sqrt(2 / fan in)" },
    { .name = "orthogonal", .fans = true, .gain = true, .rule = "orthogonal", .value = given,
      .help = "of [outputs][all the rest] the rows, or if there are more of them the columns, are orthogonal to each other and of length gain" },
    { .name = "zeros", .rule = "constant", .help = "0" },
    { .name = "ones", .rule = "constant", .value = one, .help = "1" },
    { .name = "normal", .number = true, .pair = "mean, deviation", .rule = "normal", .value = given,
      .help = "normal with this deviation: { normal: 0.1 }; or { normal: [mean, deviation] }" },
    { .name = "uniform", .number = true, .pair = "low, high", .rule = "uniform", .value = given,
      .help = "uniform in [-a, a]: { uniform: 0.1 }; or { uniform: [low, high] }" },
    { .name = "constant", .number = true, .rule = "constant", .value = given, .help = "this number: { constant: 0 }" },
    { .name = "identity_affine", .rule = "constant", .bias_rule = "identity_affine", .units = 6, .units_what = "a 2x3 transform",
      .help = "a dense layer of 6 units that starts as the identity transform: weight 0, bias 1 0 0 0 1 0" },
    { .name = "identity", .rule = "constant", .bias_rule = "ones_at", .transform = true,
      .help = "a dense layer whose value is the transform of an spn starts as its identity: weight 0, bias 1 0 0 0 1 0 for six numbers" },
    { 0 },
};

const InitSpec *initialiser_named(const char *name)
{
    for (const InitSpec *i = initialisers; i->name; i++)
        if (strcmp(i->name, name) == 0)
            return i;
    return NULL;
}
