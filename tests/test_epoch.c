/* test_epoch.c -- a line of log.jsonl reads back as it was written, and never as what cannot be; docs/checkpoint.md has its fields. */
#define _DEFAULT_SOURCE
#include "fixtures/tiny_net.c"
#include "folder.h"
#include "run/epoch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

TestSuite(epoch);

static void read_line(Epoch *e, const char *line, bool is_epoch)
{
    Json j;
    char error[200];
    cr_assert(json_parse(&j, line, strlen(line), 1 << 20, error, sizeof error), "%s", error);
    cr_assert(epoch_read(e, j.root) == is_epoch, "%s", line);
    json_parse_free(&j);
}

Test(epoch, a_line_reads_back_as_it_was_written)
{
    Epoch e = { 7, 1.5, 0.25, 1.75, 0.5, 0.01, 2, 3, 4.5, 1000, 99, true, "" }, back;
    JsonWriter w;
    for (int labels = 0; labels < 2; labels++) {
        e.train_error = labels ? 0.25 : (double)NAN, e.valid_error = labels ? 0.5 : (double)NAN;
        json_begin(&w, NULL);
        json_object(&w, NULL);
        epoch_write(&w, &e);
        json_close(&w);
        cr_assert(json_end(&w));
        read_line(&back, w.text, true);
        cr_assert(back.epoch == 7 && back.train_loss == 1.5 && back.valid_loss == 1.75 && back.rate == 0.01 && back.grad_norm == 2);
        cr_assert(back.grad_norm_max == 3 && back.seconds == 4.5 && back.images_per_second == 1000 && back.updates == 99 && back.best);
        cr_assert(labels ? back.train_error == 0.25 && back.valid_error == 0.5 : isnan(back.train_error) && isnan(back.valid_error));
        bool there = strstr(w.text, "train_error") != NULL;
        cr_assert(there == labels && strstr(w.text, "valid_error"), "%s", w.text);
        json_free(&w);
    }
}

Test(epoch, what_is_not_to_be_believed_is_as_if_it_were_not_there)
{
    Epoch e;
    read_line(&e, "{\"epoch\": 3, \"train_loss\": 2, \"valid_error\": -1, \"rate\": \"x\", \"updates\": -5, \"best\": 1, "
                  "\"other\": [3]}", true);
    cr_assert(e.epoch == 3 && e.train_loss == 2 && e.updates == 0 && !e.best);
    cr_assert(isnan(e.valid_error) && isnan(e.rate) && isnan(e.valid_loss) && isnan(e.train_error));
    read_line(&e, "{\"epoch\": 3, \"train_loss\": 2, \"valid_error\": 1.01, \"train_error\": 1, \"seconds\": 1e300, \"images_per_second\": 1e13}", true);
    cr_assert(isnan(e.valid_error) && e.train_error == 1 && isnan(e.seconds) && isnan(e.images_per_second));
    read_line(&e, "{\"epoch\": 3, \"train_loss\": null}", false);
    read_line(&e, "{\"epoch\": -1, \"train_loss\": 2}", false);
    read_line(&e, "{\"epoch\": 99999999999, \"train_loss\": 2}", false);
    read_line(&e, "{\"train_loss\": 2}", false);
    read_line(&e, "{}", false);
}

Test(epoch, the_page_has_every_field_of_the_log)
{
    char table[8192], range[200];
    size_t size;
    size_t n = (size_t)sprintf(table, "| field | value | meaning |\n| --- | --- | --- |\n");
    for (int i = 0; i < EPOCH_FIELDS; i++)
        n += (size_t)snprintf(table + n, sizeof table - n, "| `%s` | %s | %s |\n", epoch_fields[i].name,
                              field_range(range, sizeof range, &epoch_fields[i]), epoch_fields[i].what);
    char *page = (char *)file_get("docs/checkpoint.md", &size);
    page[size] = '\0';
    cr_assert(strstr(page, table) != NULL, "docs/checkpoint.md lacks this table:\n%s", table);
    free(page);
}
