/* test_training.c -- the tables of optimisers, schedules, initialisers and losses: each row is whole, and what carries it out takes what
 * the row has, by the same names and in the same order. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "read/language.h"
#include "spnc_run.h"
#include "temporary.h"

TestSuite(training, .init = ops_register);

static char *text_of(const char *path)
{
    FILE *f = fopen(path, "r");
    cr_assert(f != NULL, "%s: tests run from the root of the checkout", path);
    char *text = calloc(1, 1 << 17);
    size_t n = fread(text, 1, (1 << 17) - 1, f);
    fclose(f);
    /* one blank for any space: a parameter list may go over lines */
    size_t to = 0;
    for (size_t i = 0; i < n; i++)
        if (!isspace((unsigned char)text[i]) || (to && text[to - 1] != ' '))
            text[to++] = isspace((unsigned char)text[i]) ? ' ' : text[i];
    text[to] = '\0';
    return text;
}

/* The names of the parameters of `function`, with commas between: "w,g,r,n". */
static char *parameters(const char *text, const char *function)
{
    char head[80], *names = calloc(1, 512);
    snprintf(head, sizeof head, "%s(", function);
    const char *at = strstr(text, head);
    cr_assert(at != NULL, "there is no function %s", function);
    at += strlen(head);
    for (const char *end = at; *end != ')';) {
        end = at + strcspn(at, ",)");
        const char *name = end;
        while (isalnum((unsigned char)name[-1]) || name[-1] == '_')
            name--;
        snprintf(names + strlen(names), 512 - strlen(names), "%s%.*s", *names ? "," : "", (int)(end - name), name);
        at = end + 1;
    }
    return names;
}

/* Numbers with ranges that hold their defaults, and words. */
static void row_is_whole(const MapSpec *row)
{
    cr_assert(row->what && row->help && row->equation && row->example, "%s lacks words", row->name);
    for (const AttrSpec *s = row->keys; s->name; s++) {
        double v = default_number(s);
        cr_assert(s->type == ATTR_REAL || s->type == ATTR_INT || s->type == ATTR_BOOL, "%s.%s is no number", row->name, s->name);
        cr_assert(s->help != NULL, "%s.%s lacks words", row->name, s->name);
        bool fits = !s->fallback || (v >= s->low && v <= s->high);
        cr_assert(fits, "%s.%s: its default is out of its range", row->name, s->name);
    }
}

Test(training, a_rule_of_an_optimiser_takes_the_states_and_settings_of_its_row)
{
    cr_assert(eq(int, STATES_MAX, NET_STATES));
    char *text = text_of("runtime/optimiser.h");
    for (const Optimiser *o = optimisers; o->map.name; o++) {
        char function[64], expected[512] = "w,g";
        row_is_whole(&o->map);
        cr_assert(eq(str, (char *)o->map.keys[0].name, "rate"));
        bool first = optimiser_named(o->map.name) == o;
        cr_assert(first, "two optimisers have the name %s", o->map.name);
        for (const StateSpec *s = o->states; s->name; s++) {
            bool there = !s->setting;
            for (const AttrSpec *k = o->map.keys; k->name && !there; k++)
                there = strcmp(k->name, s->setting) == 0;
            cr_assert(there, "%s has no setting %s", o->map.name, s->setting);
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",%s", s->name);
        }
        strcat(expected, ",n,how");
        for (const AttrSpec *k = o->map.keys; k->name; k++)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",%s", k->name);
        strcat(expected, o->counted ? ",update_count" : "");
        snprintf(function, sizeof function, "optimiser_%s", o->map.name);
        cr_assert(eq(str, parameters(text, function), expected), "%s", function);
    }
}

Test(training, a_rule_of_a_schedule_takes_the_settings_of_its_row)
{
    cr_assert(eq(int, SCHEDULE_MAX, NET_SCHEDULE));
    char *text = text_of("runtime/schedule.h");
    int bare = 0;
    for (const Schedule *s = schedules; s->map.name; s++) {
        char function[64], expected[512] = "rate,epoch,epochs";
        row_is_whole(&s->map);
        bare += s->bare;
        const AttrSpec *k = s->map.keys;
        for (; k[1].name; k++)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",%s", k->name);
        cr_assert(eq(str, (char *)k->name, "warm_up"), "the last setting of %s", s->map.name);
        snprintf(function, sizeof function, "schedule_%s", s->map.name);
        cr_assert(eq(str, parameters(text, function), expected), "%s", function);
        cr_assert(s->form && strstr(s->map.example, s->form));
    }
    cr_assert(bare == 1 && schedules[0].bare);
}

Test(training, plain_gradient_descent_keeps_no_state)
{
    int blocks[STATES_MAX];
    const Optimiser *sgd = optimiser_named("sgd"), *adam = optimiser_named("adam");
    cr_assert(eq(int, optimiser_blocks(sgd, (double[ATTR_MAX]){ 0.1, 0 }, blocks), 0));
    cr_assert(eq(int, blocks[0], -1));
    cr_assert(eq(int, optimiser_blocks(sgd, (double[ATTR_MAX]){ 0.1, 0.9 }, blocks), 1));
    cr_assert(eq(int, blocks[0], 0));
    cr_assert(eq(int, optimiser_blocks(adam, (double[ATTR_MAX]){ 0 }, blocks), 2));
    cr_assert(blocks[0] == 0 && blocks[1] == 1);
    cr_assert(optimiser_named("adamm") == NULL);
}

static bool is_start(const char *rule)
{
#define NAME(upper, lower) #lower,
    static const char *const names[] = { NET_STARTS(NAME) };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], rule))
            return true;
    return false;
}

Test(training, an_initialiser_names_rules_that_a_program_has)
{
    for (const InitSpec *i = initialisers; i->name; i++) {
        cr_assert(i->help && is_start(i->rule) && (!i->bias_rule || is_start(i->bias_rule)), "%s", i->name);
        bool whole = (i->units != 0) == (i->units_what != NULL) && (i->value || !i->number);
        cr_assert(whole, "%s", i->name);
    }
}

Test(training, a_loss_has_what_the_language_asks_of_it)
{
    int count = 0;
    for (int k = 0; k < OP_COUNT; k++) {
        const LossInfo *l = loss_table[k];
        if (!l)
            continue;
        bool weight = false;
        for (const AttrSpec *s = op_table[k]->attrs; s->name; s++)
            weight = weight || !strcmp(s->name, "weight");
        cr_assert(weight && (op_table[k]->help || l->word) && !op_table[k]->layer && (l->fits || l->takes == TAKES_WEIGHTS) && l->takes && l->form, "%s", op_table[k]->name);
        cr_assert(eq(int, loss_operands(l), op_table[k]->inputs_max));
        count++;
    }
    cr_assert(ge(int, count, 2));
}

/* A model whose optimiser `o` has the setting `key`, which spnc checks; with a file of its own. */
static Run checked(const char *path, const Optimiser *o, const AttrSpec *key)
{
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL);
    fprintf(f, "model: m\ninputs: { x: { shape: [4] } }\ntargets: { y: { classes: 3 } }\nflow:\n  - v: { dense: x, units: 3 }\nloss: { cross_entropy: [v, y] }\n"
               "train: { optimiser: { %s: { %s: %s } } }\n", o->map.name, key->name, key->type == ATTR_BOOL ? "true" : "0.5");
    fclose(f);
    return SPNC_RUN("check", path);
}

Test(training, a_setting_of_another_optimiser_is_refused_at_its_place, .timeout = 600)
{
    char folder[TEMPORARY_ROOM], path[TEMPORARY_ROOM + 8];
    temporary_folder(folder);
    snprintf(path, sizeof path, "%s/m.yaml", folder);
    for (const Optimiser *o = optimisers; o->map.name; o++)
        for (const Optimiser *other = optimisers; other->map.name; other++)
            for (const AttrSpec *key = other->map.keys; key->name; key++) {
                char place[TEMPORARY_ROOM + 80];
                const Run r = checked(path, o, key);
                snprintf(place, sizeof place, "%s:7:%zu: error: '%s' is a setting of ", path, strlen("train: { optimiser: { ") + strlen(o->map.name) + 5, key->name);
                const bool refused = strstr(r.err, place) != NULL, own = optimiser_has(o, key->name), asks = !strcmp(key->name, "nesterov");
                cr_expect(r.status == (!own || asks) && refused == !own, "%s: { %s }: %d, %s", o->map.name, key->name, r.status, r.err);
            }
    remove(path);
    remove(folder);
}
