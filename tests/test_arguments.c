/* The options of a program by their table: how they are found and read, where values go, and the errors. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files/arguments.h"

typedef struct {
    const char *text, *choice, *own;
    int number;
    int64_t large;
    uint64_t seed;
    double seconds;
    bool flag, seed_given;
} Said;

#define AT(field) offsetof(Said, field), 0
static const Option rows[] = {
    { "--text", "FILE", TEXT, AT(text), "a file" },
    { "--choice", "one|two|three", CHOICE, AT(choice), "one of them" },
    { "--number", "N", INT(1, 1024), AT(number), "a number" },
    { "--large", "I", INT64(0, INT64_MAX), AT(large), "a large one" },
    { "--seed", "N", SEED, offsetof(Said, seed), offsetof(Said, seed_given), "a seed" },
    { "--time", "DURATION", DURATION, AT(seconds), "a time" },
    { "--flag", NULL, FLAG, AT(flag), "no value" },
    { "--own", "X=Y", OWN, AT(own), "read by the program" },
    { "-o", "FILE", TEXT, AT(text), "a short name" },
};
enum { ROWS = sizeof rows / sizeof *rows };

static Said said;
static const char *value;
static OptionError error;

/* One option as one argument, or two; how many arguments were read, or -1 after an error, or 0 where no row has that name. */
static int reads(const char *first, const char *second)
{
    char *argv[] = { (char *)(uintptr_t)first, (char *)(uintptr_t)second };
    int i = 0;
    said = (Said){ .number = -7, .large = -7 };
    const Option *o = option_find(rows, ROWS, first);
    return !o ? 0 : option_read(&said, &value, o, second ? 2 : 1, argv, &i, &error) ? i + 1 : -1;
}

Test(arguments, a_value_stands_behind_or_after_an_equals_sign)
{
    cr_expect(reads("--text", "a") == 2 && !strcmp(said.text, "a") && !strcmp(value, "a"));
    cr_expect(reads("--text=a=b", "c") == 1 && !strcmp(said.text, "a=b"));
    cr_expect(reads("-o", "--flag") == 2 && !strcmp(said.text, "--flag"));
    cr_expect(reads("-o=a", NULL) == 0, "only a long name takes a value behind a =");
    cr_expect(reads("--tex", "a") == 0 && reads("--texts", "a") == 0 && reads("text", "a") == 0);
    cr_expect(reads("--flag", "a") == 1 && said.flag && value == NULL);
    cr_expect(reads("--own=x", NULL) == 1 && !strcmp(value, "x") && said.own == NULL);
}

Test(arguments, values_go_where_the_row_says)
{
    cr_expect(reads("--choice", "two") == 2 && !strcmp(said.choice, "two"));
    cr_expect(reads("--number", "1024") == 2 && said.number == 1024);
    cr_expect(reads("--large", "9223372036854775807") == 2 && said.large == INT64_MAX);
    cr_expect(!said.seed_given);
    cr_expect(reads("--seed", "18446744073709551615") == 2 && said.seed == UINT64_MAX && said.seed_given);
    static const struct { const char *text; double seconds; } times[] = {
        { "90", 90 }, { "90s", 90 }, { "500ms", 0.5 }, { "1.5h", 5400 }, { "2m", 120 }, { "1d", 86400 },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        cr_expect(reads("--time", times[i].text) == 2 && said.seconds == times[i].seconds, "%s is %g s", times[i].text, said.seconds);
}

Test(arguments, what_a_row_does_not_take_is_refused_and_changes_nothing)
{
    static const char small[] = "a whole number from 1 to 1024", large[] = "a whole number from 0 to 9223372036854775807";
    static const char choice[] = "one|two|three", time[] = "a time above zero as in 90s, 10m, 2h";
    static const struct { const char *option, *value, *expected; } wrong[] = {
        { "--text", "", "FILE" }, { "--choice", "four", choice }, { "--choice", "", choice }, { "--choice", "on", choice },
        { "--number", "0", small }, { "--number", "1025", small }, { "--number", "3x", small }, { "--number", "", small },
        { "--number", "+3", small }, { "--number", " 3", small }, { "--large", "-1", large }, { "--large", "9223372036854775808", large },
        { "--seed", "18446744073709551616", "a whole number from 0 to 18446744073709551615" },
        { "--time", "0s", time }, { "--time", "3 s", time }, { "--time", "inf", time }, { "--time", "ms", time },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *option = wrong[i].option, *text = wrong[i].value;
        cr_expect(reads(option, text) == -1 && error.fault == OPTION_WRONG_VALUE, "%s '%s'", option, text);
        cr_expect(!strcmp(error.value, text) && !strcmp(error.expected, wrong[i].expected), "%s: %s", option, error.expected);
        cr_expect(!said.text && !said.choice && said.number == -7 && said.large == -7 && !said.seed_given && !said.seconds);
    }
    cr_expect(reads("--text", NULL) == -1 && error.fault == OPTION_NEEDS_VALUE && !error.value);
    cr_expect(reads("--flag=yes", NULL) == -1 && error.fault == OPTION_TAKES_NONE && !strcmp(error.value, "yes") && !said.flag);
}

Test(arguments, a_list_holds_whole_names)
{
    cr_expect(option_listed(" --a --bc ", "--a") && option_listed(" --a --bc ", "--bc") && option_listed(" --ab --a ", "--a"));
    cr_expect(!option_listed(" --ab ", "--a") && !option_listed(" --ab ", "b") && !option_listed(" ", "--a"));
}
