/* The fuzzer's entry to the compiler (fuzz_model.c), over earlier findings and files that reach late stages: every one ends in C or in an
 * error. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int replay(const char *folder)
{
    int files = 0;
    DIR *d = opendir(folder);
    cr_assert(d != NULL, "tests run in the root of the checkout; no %s here", folder);
    for (struct dirent *e; (e = readdir(d));) {
        static uint8_t bytes[1 << 20];
        char path[512];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        cr_assert(f != NULL, "%s", path);
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        LLVMFuzzerTestOneInput(bytes, n);
        files++;
    }
    closedir(d);
    return files;
}

Test(fuzz, the_corpus_ends_in_c_or_in_an_error, .timeout = 600) { cr_assert(replay("tests/corpus") > 50); }

/* Plain, double, for a debugger, other targets: the model behind the byte that chooses them. */
Test(fuzz, every_form_of_a_model_ends_in_c, .timeout = 600)
{
    static const uint8_t forms[] = { 0, 1, 2, 5, 8, 16 };
    for (size_t i = 0; i < sizeof forms; i++) {
        static uint8_t bytes[1 << 16];
        FILE *f = fopen("models/tiny.yaml", "rb");
        cr_assert(f != NULL);
        bytes[0] = forms[i];
        size_t n = fread(bytes + 1, 1, sizeof bytes - 1, f);
        fclose(f);
        LLVMFuzzerTestOneInput(bytes + !forms[i], n + (forms[i] != 0));
    }
}
