/* training.c -- `train:`: optimiser, clipping, schedule and length of a training.
 *
 * In: the map of the model file, and the rows of optimisers and schedules.  Out: m->train. */
#include "graph/model.h"
#include <string.h>
#include <strings.h>

/* Warns of a rate so large that training will probably diverge, and of none; the net is still compiled. */
static void rate_check(Model *m, const Yaml *y, const MapSpec *map)
{
    double rate = m->train.optimiser_set[0];
    if (y && rate == 0)
        diag_warning(m->diag, y->loc, "with a rate of 0 no update changes a parameter");
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

static void note_settings(Model *m, const Optimiser *o)
{
    int n = 0;
    const char *known[ATTR_MAX];
    for (const AttrSpec *k = o->map.keys; k->name; k++)
        known[n++] = k->name;
    note_known(m, o->map.what, known, n);
}

/* Refuses settings that the optimiser o does not have.  Of those that others have it says whose they are: "adam, adamw". */
static bool settings_known(Model *m, const Yaml *y, const Optimiser *o)
{
    bool good = true;
    Yaml rest = *y;          /* keys of no optimiser at all */
    rest.count = 0, rest.keys = NEW_ARRAY(m->arena, Yaml *, y->count), rest.items = NEW_ARRAY(m->arena, Yaml *, y->count);
    for (int i = 0; i < y->count; i++) {
        const char *name = y->keys[i]->text;
        Text whose = { .arena = m->arena };
        for (const Optimiser *other = optimisers; other->map.name && !optimiser_has(o, name); other++)
            if (optimiser_has(other, name))
                text_printf(&whose, "%s%s", whose.length ? ", " : "", other->map.name);
        if (!whose.length) {
            rest.keys[rest.count] = y->keys[i], rest.items[rest.count++] = y->items[i];
            continue;
        }
        diag_error(m->diag, y->keys[i]->loc, "'%s' is a setting of %s, not of %s", name, whose.text, o->map.name);
        if (strcmp(name, "weight_decay") == 0)
            diag_note(m->diag, (Loc){ 0 }, "the decay of %s stands beside the optimiser: train: { weight_decay: 1e-4 }", o->map.name);
        else
            note_settings(m, o);
        good = false;
    }
    return map_keys_known(m, &rest, &o->map) && good;
}

/* Settings of one optimiser that exclude each other. */
static void optimiser_check(Model *m, const Yaml *s)
{
    const TrainDef *t = &m->train;
    const Yaml *nesterov = yaml_get(s, "nesterov");
    const bool known = optimiser_has(t->optimiser, "nesterov") && optimiser_has(t->optimiser, "momentum");
    if (nesterov && known && optimiser_setting(t->optimiser, t->optimiser_set, "nesterov") != 0 &&
        optimiser_setting(t->optimiser, t->optimiser_set, "momentum") == 0)
        diag_error(m->diag, nesterov->loc, "nesterov needs a momentum above 0: { %s: { momentum: 0.9, nesterov: true } }", t->optimiser->map.name);
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
        for (int i = 0; called->kind == YAML_SCALAR && i < n; i++)
            if (strcasecmp(called->text, names[i]) == 0)
                near = arena_printf(m->arena, "; did you mean '%s'?", names[i]);
        diag_error(m->diag, called->loc, "the optimiser is one of %s: { %s: { rate: %s } }%s", list.text, names[0],
                   optimisers[0].map.keys[0].fallback, near);
    } else if (s && s->kind != YAML_MAP) {
        map_expected(m, s, o->map.name);
        diag_note(m->diag, (Loc){ 0 }, "its settings stand inside: { %s: { rate: %.40s } }", o->map.name, s->kind == YAML_SCALAR && *s->text ? s->text : o->map.keys[0].fallback);
    } else {
        if (s)
            settings_known(m, s, o);
        optimiser(m, s, o);
        optimiser_check(m, s);
        rate_check(m, yaml_get(s, "rate"), &o->map);
    }
}

static const Schedule *schedule_unknown(Model *m, const Yaml *word, const char *const *names, int n)
{
    Text all = { .arena = m->arena };
    for (int i = 0; i < n; i++)
        text_printf(&all, "%s%s", i ? ", " : "", names[i]);
    diag_error(m->diag, word->loc, "there is no schedule '%s'%s", word->text, diag_suggestion(m->arena, word->text, names, n));
    diag_note(m->diag, (Loc){ 0 }, "there are %s, and %s; `spnc ops %s` explains one", all.text, schedules[0].form, names[n - 1]);
    return NULL;
}

/* The schedule that y names: the key of { NAME: { settings } }, whose settings go to *map; or NAME alone, *map NULL; the bare one, whose settings y
 * has itself, where it names none.  NULL, after an error, where there is no such word. */
static const Schedule *schedule_named(Model *m, const Yaml *y, const Yaml **map)
{
    const char *names[32] = { "constant" };
    int n = 1;
    *map = y;
    for (const Schedule *s = schedules; s->map.name; s++) {
        if (y->kind == YAML_MAP && !s->bare && y->count == 1 && strcmp(y->keys[0]->text, s->map.name) == 0) {
            *map = y->items[0];
            return s;
        }
        if (y->kind == YAML_SCALAR && !s->bare && strcmp(y->text, s->map.name) == 0) {
            *map = NULL;
            return s;
        }
        if (!s->bare)
            names[n++] = s->map.name;
    }
    for (int i = 0; y->kind == YAML_MAP && i < y->count; i++)
        for (int k = 1; k < n; k++)
            if (strcmp(y->keys[i]->text, names[k]) == 0) {
                diag_error(m->diag, y->keys[i]->loc,
                           "a schedule is one of these words, with its settings inside, warm_up too: schedule: { %s: { warm_up: 2 } }",
                           names[k]);
                return NULL;
            }
    if (y->kind == YAML_MAP && y->count == 1 && y->items[0]->kind == YAML_MAP)
        return schedule_unknown(m, y->keys[0], names, n);
    if (y->kind == YAML_MAP)
        return &schedules[0];
    if (y->kind == YAML_SCALAR)
        return schedule_unknown(m, y, names, n);
    map_expected(m, y, "schedule");
    return NULL;
}

/* `constant`, or a schedule.  A map with warm_up alone is a constant rate behind it. */
static void schedule_read(Model *m, const Yaml *y)
{
    const Yaml *map;
    if (y->kind == YAML_SCALAR && strcmp(y->text, "constant") == 0)
        return;
    const Schedule *s = schedule_named(m, y, &map);
    if (!s || (map && map != y && !map_expected(m, map, s->map.what)))
        return;
    bool known = !map || map_keys_known(m, map, &s->map), only_warm = map && map->count == 1 && strcmp(map->keys[0]->text, "warm_up") == 0;
    m->train.schedule = s;
    m->train.schedule_at = map ? map : y;
    settings(m, map, &s->map, m->train.schedule_set, SCHEDULE_MAX);
    for (const AttrSpec *k = s->map.keys; known && !(s->bare && only_warm) && k->name; k++)
        if (!k->fallback && !yaml_get(map, k->name))
            diag_error(m->diag, m->train.schedule_at->loc, "a schedule needs '%s': %s", k->name, s->form);
}

/* A schedule whose first change comes after the run is a mistake of one of the two.  It is a warning only in the first form, which was valid
 * before there were others. */
static void schedule_fits(Model *m)
{
    const TrainDef *t = &m->train;
    const Yaml *y = t->schedule_at;
    const MapSpec *map = &t->schedule->map;
    for (int i = 0; y && t->epochs > 0 && map->keys[i].name; i++) {
        const char *name = map->keys[i].name;
        double at = t->schedule_set[i];
        bool warm = strcmp(name, "warm_up") == 0, begins = t->schedule->begins && strcmp(name, t->schedule->begins) == 0;
        if (!(warm ? at > t->epochs : begins && at >= t->epochs))
            continue;
        const Yaml *value = yaml_get(y, name);
        (t->schedule->bare && begins ? diag_warning : diag_error)(
            m->diag, value ? value->loc : y->loc, "the schedule is longer than the run: %s is %g, and the run ends after %d epoch%s, so the rate %s", name, at,
            t->epochs, t->epochs == 1 ? "" : "s", warm ? "never comes to its full height" : "stays as it is");
        diag_note(m->diag, (Loc){ 0 }, "a smaller %s, or more epochs: train: { epochs: %g }", name, warm ? at : at + 1);
    }
}

/* Decay stands in one place: in the optimiser, if that has a rule of its own for it. */
static void decay_check(Model *m, const Yaml *y)
{
    const Yaml *decay = yaml_get(y, "weight_decay");
    const char *name = m->train.optimiser->map.name;
    if (!decay || !optimiser_has(m->train.optimiser, "weight_decay"))
        return;
    diag_error(m->diag, decay->loc, "%s decays weights by its own setting, so train.weight_decay has no place beside it: optimiser: { %s: { weight_decay: %.60s } }",
               name, name, decay->kind == YAML_SCALAR ? decay->text : "0.01");
}

/* The optimiser that has a setting: the model's own, if it does, else the first; NULL: none. */
static const Optimiser *optimiser_with(const Optimiser *own, const char *setting)
{
    if (own && optimiser_has(own, setting))
        return own;
    for (const Optimiser *o = optimisers; o->map.name; o++)
        if (optimiser_has(o, setting))
            return o;
    return NULL;
}

/* Settings of an optimiser that stand beside it. */
static void note_misplaced(Model *m, const Yaml *y)
{
    const Yaml *given = yaml_get(y, "optimiser");
    const char *name = !given ? map_key(&map_train, "optimiser")->fallback : given->kind == YAML_MAP && given->count ? given->keys[0]->text : given->text;
    for (int i = 0; i < y->count; i++) {
        const char *key = y->keys[i]->text;
        const bool rate = !strcasecmp(key, "lr") || !strcasecmp(key, "learning_rate");
        if (rate)
            key = "rate";
        if (strcmp(key, "batch") == 0 || strcmp(key, "batch_size") == 0)
            diag_note(m->diag, (Loc){ 0 }, "`batch` stands at the top of the file, beside train");
        const Optimiser *o = strcmp(key, "weight_decay") ? optimiser_with(name ? optimiser_named(name) : NULL, key) : NULL;
        if (o)
            diag_note(m->diag, (Loc){ 0 }, "'%s' is a setting of an optimiser: optimiser: { %s: { %s: ... } }", key, o->map.name, key);
    }
}

void training_read(Model *m, const Yaml *y)
{
    TrainDef *t = &m->train;
    optimiser(m, NULL, optimiser_named(map_key(&map_train, "optimiser")->fallback));
    t->schedule = &schedules[0];
    if (y && !map_expected(m, y, "train"))
        y = NULL;
    if (y && !map_keys_known(m, y, &map_train))
        note_misplaced(m, y);
    double epochs = 0, patience = 0, seed = 0, accumulate = 1;
    const Yaml *o = yaml_get(y, "optimiser"), *clip = yaml_get(y, "clip"), *schedule = yaml_get(y, "schedule");
    if (o)
        optimiser_read(m, o);
    if (clip && clip->kind != YAML_MAP) {
        map_expected(m, clip, "clip");
        diag_note(m->diag, (Loc){ 0 }, "by norm or by element: clip: { norm: %.40s }", clip->kind == YAML_SCALAR && *clip->text ? clip->text : "1");
    } else if (clip) {
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
    decay_check(m, y);
    parameters_read(m, y);
    map_number(m, y, &map_train, "accumulate", &accumulate);
    map_number(m, y, &map_train, "average", &t->average);
    t->accumulate = (int)accumulate;
    const bool told = map_number(m, y, &map_train, "epochs", &epochs);
    map_number(m, y, &map_train, "patience", &patience);
    map_number(m, y, &map_train, "seed", &seed);
    t->epochs = (int)epochs;
    if (told && t->epochs == 0)
        diag_warning(m->diag, yaml_get(y, "epochs")->loc, "with no epochs nothing is trained, unless --epochs says how many");
    schedule_fits(m);
    t->patience = (int)patience;
    t->seed = (uint64_t)seed;
}
