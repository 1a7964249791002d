/* info.c -- the command `info`: model, form and parameters of this program, and the memory it will need; none of it is allocated. */
#include "files/json.h"
#include "inspect/inspect.h"
#include "net.h"
#include "run/message.h"
#include "run/settings.h"
#include "run/weights.h"

typedef struct { const char *family; double bytes; } Family;
enum { FAMILIES_MOST = 7 };

/* Returns how many there are. */
static int memory_families(Family families[FAMILIES_MOST], int threads)
{
    int n = 0;
    double size = sizeof(real), block = (double)net.block * size, buffers = (double)net.buffer_block * size;
    families[n++] = (Family){ "parameters", block + buffers };
    families[n++] = (Family){ "gradients", block };
    families[n++] = (Family){ "optimiser", block * net.state_blocks };
    if (net.gathered)
        families[n++] = (Family){ "gathered", block };
    if (net.average)
        families[n++] = (Family){ "average", block };
    families[n++] = (Family){ "activations", (double)net.activation_reals * size };
    families[n++] = (Family){ "threads", (double)net.thread_reals * size * threads };
    return n;
}

static void write_rows(JsonWriter *w, const char *key, const NetParam *rows, int count)
{
    json_array(w, key);
    for (int i = 0; i < count; i++) {
        const NetParam *p = &rows[i];
        json_object(w, NULL);
        json_string(w, "name", p->name);
        json_array(w, "shape");
        for (int r = 0; r < p->rank; r++)
            json_integer(w, NULL, p->shape[r]);
        json_close(w);
        json_integer(w, "count", (int64_t)p->count);
        json_close(w);
    }
    json_close(w);
}

static void print_rows(const NetParam *rows, int count)
{
    for (int i = 0; i < count; i++) {
        const NetParam *p = &rows[i];
        char shape[100];
        int64_t dims[NET_RANK];
        for (int r = 0; r < p->rank; r++)
            dims[r] = p->shape[r];
        Array a = array_view("", ARRAY_REAL, NULL, p->rank, dims);
        printf("  %-32s %-22s %10zu\n", p->name, array_shape_text(shape, sizeof shape, &a), p->count);
    }
}

static void print_json(const Family *families, int count, int threads)
{
    JsonWriter w;
    json_begin(&w, stdout);
    json_object(&w, NULL);
    json_string(&w, "model", net.name);
    json_string(&w, "about", net.about ? net.about : "");
    json_string(&w, "source", net.source);
    json_string(&w, "settings", net.settings);
    json_string(&w, "signature", net.signature);
    json_string(&w, "model_hash", net.hash);
    json_string(&w, "target", net.target);
    json_string(&w, "precision", net.precision);
    json_string(&w, "form", net.form);
    json_integer(&w, "batch", net.batch);
    json_integer(&w, "parameter_count", (int64_t)weights_count());
    write_rows(&w, "parameters", net.params, net.param_count);
    write_rows(&w, "buffers", net.buffers, net.buffer_count);
    settings_write(&w, net.training);
    json_object(&w, "memory");
    for (int i = 0; i < count; i++)
        json_integer(&w, families[i].family, (int64_t)families[i].bytes);
    json_close(&w);
    json_integer(&w, "threads", threads);
    json_close(&w);
    json_newline(&w);
    json_end(&w);
    json_free(&w);
}

/* "  NAME   12.5 MB", without the end of the line; of less than a tenth of a MB in kB. */
static void print_bytes(const char *what, double bytes)
{
    printf("  %-14s %9.1f %s", what, bytes < 1e5 ? bytes / 1e3 : bytes / 1e6, bytes < 1e5 ? "kB" : "MB");
}

int command_info(const Options *o)
{
    Family families[FAMILIES_MOST];
    double all = 0;
    const int count = memory_families(families, o->threads);
    if (o->json) {
        print_json(families, count, o->threads);
        return FINE;
    }
    printf("%s: %s\n", net.name, net.about ? net.about : "");
    printf("  from        %s%s%s\n", net.source, *net.settings ? ", " : "", net.settings);
    printf("  signature   %s\n  model hash  %s\n", net.signature, net.hash);
    printf("  built for   %s, %s, %s form, batch %d\n\n", net.target, net.precision, net.form, net.batch);
    print_rows(net.params, net.param_count);
    printf("  %-32s %-22s %10zu\n", "parameters", "", weights_count());
    print_rows(net.buffers, net.buffer_count);
    if (net.buffer_count)
        printf("  %-32s %-22s %10zu\n\n", "buffers", "", buffers_count());
    else
        printf("  no buffers\n\n");
    printf("  settings of a run (train --set)\n");
    for (int i = 0; i < settings_count(); i++) {
        char value[40];
        bool out = settings_removed(i);
        printf("  %-32s %s%s\n", settings_name(i), settings_text(value, sizeof value, net.training, i), out ? "  (its layers are left out)" : "");
    }
    printf("\n");
    for (int i = 0; i < count; i++) {
        print_bytes(families[i].family, families[i].bytes);
        printf("\n");
        all += families[i].bytes;
    }
    print_bytes("memory", all);
    printf(" with %d thread%s\n", o->threads, o->threads == 1 ? "" : "s");
    return FINE;
}
