/* parameters.c -- what `train:` says about single parameters: `nets:` (factors of the rate, decay, what is frozen) and `no_decay:`.
 *
 * In: these maps (read with the rest of `train:`), and m->weights once shapes are known.  Out: Weight.rate_times, .decay, .frozen.
 * A key of `nets:` is a net, which stands for all beginnings that its uses and copies give to names, or such a beginning itself, whole up to a
 * dot.  Of several keys that fit a parameter the longest beginning alone counts; of two as long, the later one. */
#include "graph/attr.h"
#include "graph/model.h"
#include <string.h>

/* The path in { file: PATH }, where a $name is the parameter's; NULL: there is none, or it was an error. */
static const Yaml *file_read(Model *m, const Yaml *y)
{
    const Yaml *file = y && y->kind == YAML_MAP && y->count == 1 && strcmp(y->keys[0]->text, "file") == 0 ? y->items[0] : NULL;
    if (!y)
        return NULL;
    if (file && file->kind == YAML_SCALAR && *file->text) {
        Yaml *path = NEW(m->arena, Yaml);
        *path = *file, path->text = word_from_yaml(m, file);
        return path->text ? path : NULL;
    }
    diag_error(m->diag, y->loc, "a net of train: nets: starts by its layers' own initialisers, or from a file: init: { file: weights.npz }");
    return NULL;
}

static void own_read(Model *m, const Yaml *key, const Yaml *y, OwnTraining *own)
{
    double freeze;
    *own = (OwnTraining){ .key = key->text, .key_loc = key->loc, .loc = key->loc, .rate_times = 1, .decay = -1 };
    if (!map_expected(m, y, map_train_net.what))
        return;
    map_keys_known(m, y, &map_train_net);
    map_number(m, y, &map_train_net, "rate_times", &own->rate_times);
    map_number(m, y, &map_train_net, "weight_decay", &own->decay);
    map_number(m, y, &map_train_net, "freeze", &freeze);
    own->freeze = freeze != 0;
    own->file = file_read(m, yaml_get(y, "init"));
    const Yaml *at = yaml_get(y, "freeze");
    if (at && own->freeze)
        own->loc = at->loc;
    for (int i = 0; i < y->count && at && own->freeze && at->kind == YAML_SCALAR && !strchr(at->text, '$'); i++)
        if (strcmp(y->keys[i]->text, "rate_times") == 0 || strcmp(y->keys[i]->text, "weight_decay") == 0)
            diag_warning(m->diag, y->keys[i]->loc, "'%s' is frozen, so its %s changes nothing", key->text, y->keys[i]->text);
}

/* Does the map say that weights decay, by a number that a parameter decides? */
static bool decays_by_param(const Yaml *map)
{
    const Yaml *decay = yaml_get(map, "weight_decay");
    return decay && decay->kind == YAML_SCALAR && strchr(decay->text, '$');
}

/* Warns where nothing decays.  A parameter ($) may well be 0 in some runs. */
static void no_decay_check(Model *m, const Yaml *train, const Yaml *at)
{
    const TrainDef *t = &m->train;
    const Yaml *nets = yaml_get(train, "nets");
    bool decays = optimiser_has(t->optimiser, "weight_decay") || t->weight_decay > 0 || decays_by_param(train);
    for (int i = 0; i < t->own_count; i++)
        decays = decays || t->own[i].decay > 0;
    for (int i = 0; nets && i < nets->count; i++)
        decays = decays || decays_by_param(nets->items[i]);
    if (!decays && t->no_decay)
        diag_warning(m->diag, at->loc, "nothing decays, so no_decay changes nothing: give a weight_decay, or leave it out");
}

static void no_decay_read(Model *m, const Yaml *y)
{
    static const char *const words[] = { "bias", "norms", "weights" };
    const int count = y->kind == YAML_LIST ? y->count : 1;
    for (int i = 0; i < count; i++) {
        const Yaml *word = y->kind == YAML_LIST ? y->items[i] : y;
        int k = 0;
        while (k < 3 && !(word->kind == YAML_SCALAR && strcmp(word->text, words[k]) == 0))
            k++;
        if (k == 3)
            diag_error(m->diag, word->loc, "no_decay names kinds of parameters: bias, norms or weights, as in no_decay: [bias, norms]%s",
                       word->kind == YAML_SCALAR ? diag_suggestion(m->arena, word->text, words, 3) : "");
        else
            m->train.no_decay |= 1u << k;
    }
}

void parameters_read(Model *m, const Yaml *y)
{
    const Yaml *nets = yaml_get(y, "nets"), *no_decay = yaml_get(y, "no_decay");
    if (nets && map_expected(m, nets, "nets of train")) {
        m->train.own = NEW_ARRAY(m->arena, OwnTraining, nets->count);
        for (int i = 0; i < nets->count; i++)
            own_read(m, nets->keys[i], nets->items[i], &m->train.own[m->train.own_count++]);
    }
    if (no_decay) {
        no_decay_read(m, no_decay);
        no_decay_check(m, y, no_decay);
    }
}

/* Length of `beginning` if it begins the name, up to a dot or the name's end; else 0. */
static size_t begins(const char *name, const char *beginning)
{
    size_t n = strlen(beginning);
    return strncmp(name, beginning, n) == 0 && (name[n] == '.' || !name[n]) ? n : 0;
}

size_t parameters_fit(const Model *m, const char *key, const char *name)
{
    size_t longest = 0;
    bool is_net = false;
    for (int i = 0; i < m->net_paths.count; i++) {
        const NetPath *p = m->net_paths.items[i];
        size_t n = strcmp(p->net, key) == 0 ? begins(name, p->path) : 0;
        is_net = is_net || strcmp(p->net, key) == 0;
        longest = n > longest ? n : longest;
    }
    return is_net ? longest : begins(name, key);
}

OwnTraining *parameters_own(Model *m, const Weight *w)
{
    OwnTraining *found = NULL;
    size_t longest = 1;
    for (int i = 0; i < m->train.own_count; i++) {
        OwnTraining *own = &m->train.own[i];
        size_t n = parameters_fit(m, own->key, w->name);
        own->used = own->used || n;
        if (n >= longest)
            longest = n, found = own;
    }
    return found;
}

void parameters_refuse(Model *m, const char *key, Loc at)
{
    List words = { 0 };
    for (int i = 0; i < m->net_paths.count; i++)
        list_push(m->arena, &words, (void *)(uintptr_t)((NetPath *)m->net_paths.items[i])->net);
    for (int i = 0; i < m->weights.count; i++) {
        const char *name = ((Weight *)m->weights.items[i])->name;
        list_push(m->arena, &words, (void *)(uintptr_t)name);
        for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
            list_push(m->arena, &words, arena_copy(m->arena, name, (size_t)(dot - name)));
    }
    const char *near = diag_suggestion(m->arena, key, (const char *const *)words.items, words.count);
    diag_error(m->diag, at, "no parameter is of a net '%s' or has a name that begins so, up to a dot%s", key, near);
    if (*near)
        return;
    Text all = { .arena = m->arena };
    const char *last = "";
    for (int i = 0; i < m->weights.count; i++) {
        const char *name = ((Weight *)m->weights.items[i])->name;
        if (strncmp(name, last, strcspn(last, ".")) == 0 && *last && name[strcspn(last, ".")] == '.')
            continue;
        text_printf(&all, "%s%.*s", all.length ? ", " : "", (int)strcspn(name, "."), last = name);
    }
    if (all.length)
        diag_note(m->diag, (Loc){ 0 }, "names of parameters begin with %s", all.text);
}

double parameters_decay(const Model *m)
{
    const TrainDef *t = &m->train;
    return optimiser_has(t->optimiser, "weight_decay") ? optimiser_setting(t->optimiser, t->optimiser_set, "weight_decay") : t->weight_decay;
}

void parameters_settle(Model *m)
{
    const TrainDef *t = &m->train;
    const double decay = parameters_decay(m);
    for (int i = 0; i < m->weights.count; i++) {
        Weight *w = m->weights.items[i];
        const OwnTraining *own = parameters_own(m, w);
        const unsigned kinds = (w->is_bias ? NO_DECAY_BIAS : 0) | (w->kind == W_NORM ? NO_DECAY_NORMS : 0) | (w->kind == W_PRODUCT ? NO_DECAY_WEIGHTS : 0);
        w->rate_times = own ? own->rate_times : 1;
        w->decay = kinds & t->no_decay ? 0 : own && own->decay >= 0 ? own->decay : decay;
        w->frozen = own && own->freeze;
    }
    for (int i = 0; i < t->own_count; i++)
        if (!t->own[i].used)
            parameters_refuse(m, t->own[i].key, t->own[i].key_loc);
}
