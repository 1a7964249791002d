/* test_json.c -- what json.c writes reads back, and what is not JSON is refused. */
#define _DEFAULT_SOURCE
#include "files/json.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool parses(const char *text)
{
    Json j;
    char error[200] = "";
    bool fine = json_parse(&j, text, strlen(text), 1 << 20, error, sizeof error);
    cr_assert(fine || error[0], "a refusal says why");
    json_parse_free(&j);
    return fine;
}

Test(json, writes_objects_arrays_and_escapes)
{
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    json_string(&w, "split", "a \"b\"\\\n\x01 \xc3\xa9 \xff");
    json_array(&w, "error");
    json_double(&w, NULL, 0.1);
    json_float(&w, NULL, 0.1f);
    json_integer(&w, NULL, INT64_MIN);
    json_double(&w, NULL, NAN);
    json_float(&w, NULL, -INFINITY);
    json_close(&w);
    json_bool(&w, "fine", true);
    json_null(&w, "none");
    json_close(&w);
    cr_assert(json_end(&w));
    cr_assert(eq(str, w.text, (char *)"{\"split\": \"a \\\"b\\\"\\\\\\u000a\\u0001 \xc3\xa9 \xef\xbf\xbd\", \"error\": [0.1, 0.1, "
                 "-9223372036854775808, null, null], \"fine\": true, \"none\": null}"));
    json_free(&w);
}

Test(json, writes_to_a_file_line_by_line)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    JsonWriter w;
    json_begin(&w, f);
    for (int i = 0; i < 2; i++) {
        json_object(&w, NULL);
        json_integer(&w, "epoch", i);
        json_close(&w);
        json_newline(&w);
    }
    cr_assert(json_end(&w));
    fclose(f);
    cr_assert(eq(str, text, (char *)"{\"epoch\": 0}\n{\"epoch\": 1}\n"));
    free(text);
}

Test(json, reports_a_full_disk)
{
    FILE *f = fopen("/dev/full", "w");
    if (!f)
        cr_skip_test("no /dev/full here");
    JsonWriter w;
    json_begin(&w, f);
    json_string(&w, NULL, "text");
    cr_assert(not(json_end(&w)));
    fclose(f);
}

Test(json, reports_misuse)
{
    JsonWriter w;
    json_begin(&w, NULL);
    json_object(&w, NULL);
    json_integer(&w, NULL, 1);
    json_close(&w);
    cr_assert(not(json_end(&w)), "a value without a key");
    json_free(&w);

    json_begin(&w, NULL);
    json_array(&w, NULL);
    cr_assert(not(json_end(&w)), "an array left open");
    json_free(&w);

    json_begin(&w, NULL);
    json_close(&w);
    cr_assert(not(json_end(&w)), "a close too many");
    json_free(&w);

    json_begin(&w, NULL);
    for (int i = 0; i < 100; i++)
        json_array(&w, NULL);
    cr_assert(not(json_end(&w)), "too deep");
    json_free(&w);
}

Test(json, numbers_read_back_to_the_last_bit)
{
    double values[2000] = { 0.0, -0.0, DBL_MIN, DBL_MAX, DBL_TRUE_MIN, 1.0 / 3, 1e22, -1e-7, 123456789012345678.0 };
    uint64_t bits = 88172645463325252u;
    for (int i = 9; i < 2000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&values[i], &bits, 8);
        if (!isfinite(values[i]))
            values[i] = i;
    }
    for (int i = 0; i < 2000; i++) {
        JsonWriter w;
        Json j;
        char error[200];
        json_begin(&w, NULL);
        json_array(&w, NULL);
        json_double(&w, NULL, values[i]);
        json_float(&w, NULL, (float)fmod(values[i], 1e30));
        json_close(&w);
        cr_assert(json_end(&w));
        cr_assert(json_parse(&j, w.text, w.length, 1000, error, sizeof error), "%s: %s", w.text, error);
        cr_assert(not(memcmp(&j.root->first->number, &values[i], 8)), "%s", w.text);
        cr_assert(eq(flt, (float)j.root->first->next->number, (float)fmod(values[i], 1e30)), "%s", w.text);
        json_parse_free(&j);
        json_free(&w);
    }
}

Test(json, reads_a_tree)
{
    const char *text = " {\"a\": [1, -2.5e1, 9223372036854775807, 9223372036854775808], \"t\": \"\\u00e9\\ud83d\\ude00\\n\", "
                       "\"o\": {}, \"n\": null, \"y\": true} ";
    Json j;
    char error[200];
    cr_assert(json_parse(&j, text, strlen(text), 1000, error, sizeof error), "%s", error);
    const JsonValue *a = json_get(j.root, "a"), *v = a->first;
    cr_assert(eq(int, j.root->count, 5));
    cr_assert(eq(int, a->count, 4));
    cr_assert(v->whole && v->integer == 1);
    v = v->next;
    cr_assert(v->number == -25 && !v->whole);
    v = v->next;
    cr_assert(v->whole && v->integer == INT64_MAX);
    cr_assert(v->next->number == 0x1p63 && !v->next->whole);
    cr_assert(eq(str, (char *)json_get(j.root, "t")->string, (char *)"\xc3\xa9\xf0\x9f\x98\x80\n"));
    cr_assert(json_get(j.root, "y")->truth);
    cr_assert(json_get(j.root, "missing") == NULL && json_get(a, "a") == NULL);
    json_parse_free(&j);
}

Test(json, refuses_what_is_not_json)
{
    static const char *const bad[] = {
        "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "[1 2]", "1 2",
        "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "nan", "Infinity", "-Infinity", "1e999", "tru", "nul", "\"a", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "\"\t\"", "\"\xff\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[1}", "{\"a\":1]", "//",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(not(parses(bad[i])), "%s", bad[i]);
}

Test(json, bounds_depth_and_size)
{
    char text[300] = "";
    memset(text, '[', JSON_DEPTH);
    memset(text + JSON_DEPTH, ']', JSON_DEPTH);
    cr_assert(parses(text));
    memset(text, '[', JSON_DEPTH + 1);
    memset(text + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
    cr_assert(not(parses(text)));
    Json j;
    char error[100];
    cr_assert(not(json_parse(&j, "[1, 2]", 6, 5, error, sizeof error)));
    cr_assert(json_parse(&j, "[1, 2]", 6, 6, error, sizeof error));
    json_parse_free(&j);
}

Test(json, survives_every_truncation_and_every_changed_byte)
{
    const char *text = "{\"a\": [1.5e3, \"\\u00e9\xc3\xa9\\\\\", {\"b\": true}], \"c\": null}";
    size_t size = strlen(text);
    Json j;
    char error[40];                            /* small, so that messages are cut too */
    for (size_t n = 0; n < size; n++) {
        char *exact = malloc(n + !n);          /* the sanitizer sees a read past the end */
        memcpy(exact, text, n);
        cr_assert(not(json_parse(&j, exact, n, 1000, error, sizeof error)));
        free(exact);
    }
    for (size_t i = 0; i < size; i++)
        for (int c = 0; c < 256; c++) {
            char *exact = malloc(size);
            memcpy(exact, text, size);
            exact[i] = (char)c;
            json_parse(&j, exact, size, 1000, error, sizeof error);
            json_parse_free(&j);
            free(exact);
        }
}
