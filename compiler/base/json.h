/* json.h -- JSON, written to a growing text: commas, layout, and strings in which any bytes stay words.
 *
 *     Json j = { .out = &text, .form = JSON_TIGHT };
 *     json_opens(&j, NULL, '{');  json_text(&j, "name", op->name);  json_int(&j, "line", 17);  json_closes(&j, '}'); */
#ifndef JSON_H
#define JSON_H

#include "spnc.h"

typedef enum {
    JSON_TIGHT,              /* {"a":1,"b":[1,2]} */
    JSON_INDENTED,           /* a line for each value, two blanks for each level */
    JSON_MESSAGE             /* {"a": 1, "b": [1, 2]}; strings show which control character they hold: \u001b */
} JsonForm;

typedef struct {
    Text *out;
    JsonForm form;
    int depth;
    bool filled;             /* the innermost object or list holds a value */
    const char *space;       /* see json_break */
} Json;

/* Every value takes a key: its name inside an object, NULL in a list or at the top.  Brackets: '{' and '}', or '[' and ']'. */
void json_opens(Json *j, const char *key, char bracket);
void json_closes(Json *j, char bracket);
void json_text(Json *j, const char *key, const char *value);
void json_int(Json *j, const char *key, int64_t value);
void json_real(Json *j, const char *key, double value, int digits);      /* as %.*g prints it */
void json_word(Json *j, const char *key, const char *value);             /* true, false, null, or JSON that is written already */
/* White space to stand before the next value, behind its comma, or before the next bracket that closes. */
void json_break(Json *j, const char *space);

#endif
