/* A model of two files: each layer's place names its own file, wherever it is printed.  The tree of one file stands in that of the other,
 * as it would if the language could include files. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline.h"
#include "tell/show.h"

static const char model[] =
    "model: two\n"
    "inputs: { image: { shape: [1, 12, 12] } }\n"
    "targets: { digit: { classes: 3 } }\n"
    "nets: { front: [] }\n"
    "flow:\n"
    "  - c: { front: image }\n"
    "  - y: { dense: c, units: 3 }\n"
    "loss: { cross_entropy: [y, digit] }\n";

static Arena *arena;
static char *said;

static const Yaml *tree(Diag *d, const char *path, const char *text)
{
    const Yaml *y = read_yaml(arena, d, source_new(arena, path, text, strlen(text)));
    cr_assert(y != NULL);
    return y;
}

/* The compiled model with `net` as its net `front`, from parts/nets.yaml; NULL: it does not compile, and `said` has the messages. */
static const Deck *compiled(const char *net)
{
    size_t size;
    free(said);
    FILE *f = open_memstream(&said, &size);
    Diag *d = diag_new(arena, f, false, false);
    const Yaml *root = tree(d, "models/two.yaml", model);
    yaml_get(root, "nets")->items[0] = yaml_get(tree(d, "parts/nets.yaml", net), "front");
    Model *m = NEW(arena, Model);
    *m = (Model){ .arena = arena, .diag = d, .root = root, .options = { .target = "avx2", .memory = (int64_t)64 << 30 } };
    bool good = compile(m);
    fclose(f);
    return good ? deck_new(m, &m->c) : NULL;
}

static void set_up(void) { ops_register(); arena = arena_new(); }
static void tear_down(void) { free(said); arena_free(arena); }
TestSuite(place, .init = set_up, .fini = tear_down, .timeout = 600);

#define HAS(text, part) cr_assert(strstr((text), (part)) != NULL, "no `%s` in:\n%s", (part), (text))

static const char net[] = "# nets of a file of their own\nfront:\n  - maxpool: 2\n  - conv: { filters: 2, kernel: 3, act: relu }\n";

Test(place, a_mistake_is_quoted_from_the_file_that_has_it)
{
    cr_assert(compiled("front:\n  - conv: { filters: 2, kernel: 30 }\n") == NULL);
    HAS(said, "parts/nets.yaml:2:");
    HAS(said, "    2 |   - conv: { filters: 2, kernel: 30 }\n");
    cr_assert(compiled("front:\n  - conv: { filters: 2, kernel: 3, kernle: 4 }\n") == NULL);
    HAS(said, "parts/nets.yaml:2:36: error: ");
    cr_assert(compiled("front:\n  - dense: 2\n  - conv: { filters: 2, kernel: 3 }\n") == NULL);
    HAS(said, "parts/nets.yaml:3:");
}

Test(place, the_c_names_the_file_of_each_section)
{
    const Deck *d = compiled(net);
    cr_assert(d != NULL, "%s", said);
    HAS(d->m->c.text, "parts/nets.yaml:3");
    HAS(d->m->c.text, " two.yaml:7");
    cr_assert(strstr(d->m->c.text, " two.yaml:4") == NULL);
}

Test(place, show_and_explain_tell_from_which_file_a_layer_is)
{
    const Deck *d = compiled(net);
    cr_assert(d != NULL, "%s", said);
    Text shown = { .arena = arena }, json = { .arena = arena }, told = { .arena = arena }, page = { .arena = arena };
    show_text(&shown, d);
    HAS(shown.text, " parts/nets.yaml:3 ");
    HAS(shown.text, "\n  parts/nets.yaml:4: relu applied where front_conv1 is computed\n");
    show_json(&json, d);
    HAS(json.text, "\"file\":\"parts/nets.yaml\",\"line\":3,");
    HAS(json.text, "\"op\":\"dense\",\"line\":7,");
    cr_assert(explain(&told, d, "front_maxpool1"));
    HAS(told.text, "front_maxpool1: maxpool, parts/nets.yaml:3\n      3 |   - maxpool: 2\n");
    told.length = 0;
    cr_assert(explain(&told, d, "y"));
    HAS(told.text, "y: dense, models/two.yaml:7\n      7 |   - y: { dense: c, units: 3 }\n");
    cr_assert(show_html(&page, d));
    HAS(page.text, "<h3>parts/nets.yaml</h3>");
    HAS(page.text, "<i>3</i>  - maxpool: 2\n");
}

Test(place, the_map_has_lines_of_both_files)
{
    const Deck *d = compiled(net);
    cr_assert(d != NULL, "%s", said);
    Text map = { .arena = arena };
    map_write(&map, d);
    HAS(map.text, "\"yaml\":\"models/two.yaml\"");
    HAS(map.text, "\"name\":\"front_maxpool1\",\"file\":\"parts/nets.yaml\",\"op\":\"maxpool\",\"yaml\":[3,3]");
    HAS(map.text, "\"name\":\"front.conv1.weight\",\"symbol\":\"front_conv1_weight\",\"file\":\"parts/nets.yaml\"");
    HAS(map.text, "\n  \"7\":[[");
    HAS(map.text, "\n  \"parts/nets.yaml:3\":[[");
    HAS(map.text, ",4,\"parts/nets.yaml\"]");
}
