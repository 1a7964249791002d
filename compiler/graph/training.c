/* training.c -- `train:`: optimiser, clipping, schedule and length of a training.
 *
 * In: the map of the model file.  Out: m->train. */
#include "graph/model.h"
#include <string.h>

/* A rate that hardly any net survives; the value is the model's, so the net is compiled all the same. */
static void rate_check(Model *m, const Yaml *y, const MapSpec *map)
{
    if (!y || m->train.rate <= 1)
        return;
    diag_warning(m->diag, y->loc, "a rate of %g is above 1: training will hardly converge", m->train.rate);
    diag_note(m->diag, (Loc){ 0 }, "the default of %s is %s", map->name, map_key(map, "rate")->fallback);
    if (y->kind == YAML_SCALAR)
        note_sets(m, y->text);
}

/* What the optimisers know, all of it: a key of the other two stays at its default. */
static void optimiser(Model *m, const Yaml *y, const MapSpec *map)
{
    TrainDef *t = &m->train;
    struct { const char *key; double *to; } numbers[] = {
        { "rate", &t->rate }, { "decay", &t->decay }, { "epsilon", &t->epsilon }, { "momentum", &t->momentum }, { "beta1", &t->beta1 }, { "beta2", &t->beta2 },
    };
    t->optimiser = map->name;
    for (const AttrSpec *s = map->keys; s->name; s++)
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            if (strcmp(numbers[i].key, s->name) == 0)
                map_number(m, y, map, s->name, numbers[i].to);
    double inside = t->inside;
    if (map == &map_rmsprop)
        map_number(m, y, map, "epsilon_inside", &inside);
    t->inside = inside != 0;
}

void training_read(Model *m, const Yaml *y)
{
    TrainDef *t = &m->train;
    optimiser(m, NULL, optimisers[0]);
    if (y && !map_expected(m, y, "train"))
        y = NULL;
    if (y)
        map_keys_known(m, y, &map_train);
    double epochs = 0, patience = 0, seed = 0, first = 0, every = 0;
    const Yaml *o = yaml_get(y, "optimiser"), *clip = yaml_get(y, "clip"), *schedule = yaml_get(y, "schedule");
    if (o) {
        const Yaml *s = o->kind == YAML_MAP && o->count == 1 ? o->items[0] : NULL, *called = s ? o->keys[0] : o;
        const MapSpec *map = NULL;
        const char *names[8];
        int n = 0;
        for (; optimisers[n]; n++) {
            names[n] = optimisers[n]->name;
            if (called->kind == YAML_SCALAR && strcmp(called->text, names[n]) == 0)
                map = optimisers[n];
        }
        if (!map) {
            diag_error(m->diag, called->loc, "the optimiser is one of rmsprop, sgd, adam: { rmsprop: { rate: 5e-4 } }%s",
                       called->kind == YAML_SCALAR ? diag_suggestion(m->arena, called->text, names, n) : "");
        } else if (!s || map_expected(m, s, map->name)) {
            if (s)
                map_keys_known(m, s, map);
            optimiser(m, s, map);
            rate_check(m, yaml_get(s, "rate"), map);
        }
    }
    if (clip && map_expected(m, clip, "clip")) {
        const char *rule;
        map_keys_known(m, clip, &map_clip);
        map_number(m, clip, &map_clip, "element", &t->clip_element);
        map_number(m, clip, &map_clip, "norm", &t->clip_norm);
        map_word(m, clip, &map_clip, "rule", &rule);
        t->clip_lasagne = rule[0] == 'l';
    }
    if (schedule && !(schedule->kind == YAML_SCALAR && strcmp(schedule->text, "constant") == 0) && map_expected(m, schedule, "schedule")) {
        bool known = map_keys_known(m, schedule, &map_schedule);
        map_number(m, schedule, &map_schedule, "divide", &t->divide);
        map_number(m, schedule, &map_schedule, "first", &first);
        map_number(m, schedule, &map_schedule, "every", &every);
        t->first = (int)first;
        t->every = (int)every;
        if (known && !yaml_get(schedule, "every"))
            diag_error(m->diag, schedule->loc, "a schedule needs 'every': { divide: 1.5, first: 31, every: 12 }");
    }
    map_number(m, y, &map_train, "weight_decay", &t->weight_decay);
    map_number(m, y, &map_train, "epochs", &epochs);
    map_number(m, y, &map_train, "patience", &patience);
    map_number(m, y, &map_train, "seed", &seed);
    t->epochs = (int)epochs;
    t->patience = (int)patience;
    t->seed = (uint64_t)seed;
}
