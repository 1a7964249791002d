/* training.c -- `train:`: optimiser, clipping, schedule and length of a training.
 *
 * In: the map of the model file, and the rows of optimisers and schedules.  Out: m->train. */
#include "graph/model.h"
#include <string.h>

/* Warns of a rate so large that training will probably diverge; the net is still compiled. */
static void rate_check(Model *m, const Yaml *y, const MapSpec *map)
{
    double rate = m->train.optimiser_set[0];
    if (!y || rate <= 1)
        return;
    diag_warning(m->diag, y->loc, "a rate of %g is above 1: training will hardly converge", rate);
    diag_note(m->diag, (Loc){ 0 }, "the default of %s is %s", map->name, map_key(map, "rate")->fallback);
    if (y->kind == YAML_SCALAR)
        note_sets(m, y->text);
}

/* All settings of a row, in its order, from the map y (NULL: the defaults). */
static void settings(Model *m, const Yaml *y, const MapSpec *map, double *to, int most)
{
    for (int i = 0; map->keys[i].name; i++) {
        AttrType type = map->keys[i].type;
        if (i == most || (type != ATTR_INT && type != ATTR_REAL && type != ATTR_BOOL))
            unreachable("a row of training with too many settings, or one that is no number");
        map_number(m, y, map, map->keys[i].name, &to[i]);
    }
}

static void optimiser(Model *m, const Yaml *y, const Optimiser *o)
{
    if (!o || strcmp(o->map.keys[0].name, "rate"))
        unreachable("an optimiser that is not in its table, or whose first setting is not its rate");
    m->train.optimiser = o;
    settings(m, y, &o->map, m->train.optimiser_set, ATTR_MAX);
}

static void optimiser_read(Model *m, const Yaml *y)
{
    const Yaml *s = y->kind == YAML_MAP && y->count == 1 ? y->items[0] : NULL, *called = s ? y->keys[0] : y;
    const Optimiser *o = called->kind == YAML_SCALAR ? optimiser_named(called->text) : NULL;
    if (!o) {
        int count = 0, n = 0;
        while (optimisers[count].map.name)
            count++;
        const char **names = NEW_ARRAY(m->arena, const char *, count);
        Text list = { .arena = m->arena };
        for (; n < count; n++)
            text_printf(&list, "%s%s", n ? ", " : "", names[n] = optimisers[n].map.name);
        const char *near = called->kind == YAML_SCALAR ? diag_suggestion(m->arena, called->text, names, n) : "";
        diag_error(m->diag, called->loc, "the optimiser is one of %s: { %s: { rate: %s } }%s", list.text, names[0],
                   optimisers[0].map.keys[0].fallback, near);
    } else if (!s || map_expected(m, s, o->map.name)) {
        if (s)
            map_keys_known(m, s, &o->map);
        optimiser(m, s, o);
        rate_check(m, yaml_get(s, "rate"), &o->map);
    }
}

/* `constant`; the settings of the bare schedule; or { NAME: { settings } } of another one. */
static void schedule_read(Model *m, const Yaml *y)
{
    const Schedule *s = m->train.schedule;
    const Yaml *map = y;
    if ((y->kind == YAML_SCALAR && strcmp(y->text, "constant") == 0) || !map_expected(m, y, "schedule"))
        return;
    for (int i = 0; schedules[i].map.name; i++)
        if (!schedules[i].bare && y->count == 1 && strcmp(y->keys[0]->text, schedules[i].map.name) == 0)
            s = &schedules[i], map = y->items[0];
    if (map != y && !map_expected(m, map, s->map.what))
        return;
    bool known = map_keys_known(m, map, &s->map);
    m->train.schedule = s;
    settings(m, map, &s->map, m->train.schedule_set, SCHEDULE_MAX);
    for (const AttrSpec *k = s->map.keys; known && k->name; k++)
        if (!k->fallback && !yaml_get(map, k->name))
            diag_error(m->diag, map->loc, "a schedule needs '%s': %s", k->name, s->form);
}

void training_read(Model *m, const Yaml *y)
{
    TrainDef *t = &m->train;
    optimiser(m, NULL, optimiser_named(map_key(&map_train, "optimiser")->fallback));
    t->schedule = &schedules[0];
    if (y && !map_expected(m, y, "train"))
        y = NULL;
    if (y)
        map_keys_known(m, y, &map_train);
    double epochs = 0, patience = 0, seed = 0;
    const Yaml *o = yaml_get(y, "optimiser"), *clip = yaml_get(y, "clip"), *schedule = yaml_get(y, "schedule");
    if (o)
        optimiser_read(m, o);
    if (clip && map_expected(m, clip, "clip")) {
        const char *rule;
        map_keys_known(m, clip, &map_clip);
        map_number(m, clip, &map_clip, "element", &t->clip_element);
        map_number(m, clip, &map_clip, "norm", &t->clip_norm);
        map_word(m, clip, &map_clip, "rule", &rule);
        t->clip_lasagne = rule[0] == 'l';
    }
    if (schedule)
        schedule_read(m, schedule);
    map_number(m, y, &map_train, "weight_decay", &t->weight_decay);
    map_number(m, y, &map_train, "epochs", &epochs);
    map_number(m, y, &map_train, "patience", &patience);
    map_number(m, y, &map_train, "seed", &seed);
    t->epochs = (int)epochs;
    t->patience = (int)patience;
    t->seed = (uint64_t)seed;
}
