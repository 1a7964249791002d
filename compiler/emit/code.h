/* code.h -- C as a list of tokens, whose brackets know each other, and where its statements end; see code.c. */
#ifndef SPNC_CODE_H
#define SPNC_CODE_H

#include "spnc.h"

typedef enum { CODE_END, CODE_NAME, CODE_NUMBER, CODE_TEXT, CODE_LINE, CODE_SIGN } TokenKind;

typedef struct Token Token;
struct Token {
    Token *prev, *next, *partner; /* partner: the other bracket of ( ), [ ] or { }; NULL: no bracket */
    TokenKind kind;               /* CODE_LINE: a line of the preprocessor, with those that it goes on in; CODE_TEXT: a string or a character */
    const char *text, *gap;       /* gap: the white space and comments before it */
    int value;                    /* of a number */
    bool number, touched;         /* number: a whole one, small enough to compute with; touched: index.c has put or computed it */
};

typedef struct {
    Arena *arena;
    Token ends; /* before the first token and behind the last; its gap is what stands behind the last */
} Code;

/* The tokens of a text, in the arena; NULL if its brackets do not match. */
Code *code_read(Arena *a, const char *text);
/* Appends the text of all tokens. */
void code_write(const Code *c, Text *out);

bool code_is(const Token *t, const char *text);
/* True if the token is one of the words of `list`, which are divided by a space. */
bool code_is_any(const Token *t, const char *list);
/* True if the token is a name of its own with this text, and not a member. */
bool code_names(const Token *t, const char *word);
/* True if a token from `from` to `to` (both with it) is such a name. */
bool code_names_within(const Token *from, const Token *to, const char *word);
/* True if an operand can end with the token. */
bool code_ends_operand(const Token *t);

/* The last token of the statement that begins at t; NULL: it cannot be told, by a label, a line of the preprocessor, a macro with a block. */
Token *code_statement(Token *t);
/* The bracket that is open before t; the end of the code if there is none. */
Token *code_around(Token *t);

/* A new token behind `after`, which is no bracket. */
Token *code_insert(Code *c, Token *after, const char *gap, const char *text);
/* Takes the token out; comments in its gap go to the next one's. */
void code_delete(Code *c, Token *t);
/* Takes out all tokens from `from` to `to`, both with it. */
void code_delete_all(Code *c, Token *from, Token *to);
/* True if it has not been taken out. */
bool code_stays(const Token *t);
/* True if there are comments in the gap before it. */
bool code_has_comment(const Token *t);
/* Takes `less` columns from the indents of the lines that begin at or between the two tokens. */
void code_outdent(Code *c, Token *from, Token *to, int less);
/* The indent of the line in which t stands. */
int code_indent(const Token *t);
/* True if t is the first token of its line. */
bool code_begins_line(const Token *t);

#endif
