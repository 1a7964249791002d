/* syntax.h -- the tree of a text that is reckoned with: a parameter's value, a condition of `when:`, a formula.  One parser reads all.
 *
 *   condition  = conjunction {or conjunction}     conjunction = negation {and negation}     negation = not negation | comparison
 *   comparison = sum [< <= > >= == != sum]        sum = product {+- product}                product = unary {* / // % unary}
 *   unary      = {+-} unary | power               power = atom [** unary]                   atom = number | $name | word | (condition)
 *
 * `-x ** 2` is -(x ** 2), `**` groups to the right, all others to the left, and comparisons do not chain.  What an atom and a level may be
 * depends on the kind of text:
 *   parameter  sum; no words but the functions floor, ceil (one operand), min, max (two), called
 *   condition  all of the above, and words: `$border == zero`
 *   formula    comparison; words are values, with dots in them; x[sum] is a slice; a word before `(` is a function, of any operands */
#ifndef SPNC_SYNTAX_H
#define SPNC_SYNTAX_H

#include "spnc.h"

typedef enum { SYNTAX_PARAMETER, SYNTAX_CONDITION, SYNTAX_FORMULA } SyntaxText;

/* A text with what is needed for places in it. */
typedef struct {
    SyntaxText kind;
    Loc loc;                 /* of the scalar, which need not live as long as the tree */
    bool quoted;
    const char *text;
    bool exact;              /* columns of the text are columns of the file */
    const char *label;       /* before each message: "--set d=8: " when the text is not in the file, else "" */
} SyntaxSource;

typedef enum {
    SYNTAX_NUMBER,           /* word: its digits */
    SYNTAX_PARAM,            /* word: the name behind `$` */
    SYNTAX_WORD,             /* word: a value's name; in a condition a word */
    SYNTAX_SLICE,            /* word[items[0]] */
    SYNTAX_CALL,             /* word(items[0], ...) */
    SYNTAX_SIGN,             /* word items[0]; word: "+" "-" "not" */
    SYNTAX_PAIR              /* items[0] word items[1]; word: an operator, "and", "or" */
} SyntaxKind;

typedef struct Syntax Syntax;
struct Syntax {
    SyntaxKind kind;
    const char *word;
    const SyntaxSource *of;
    const char *from, *to;   /* its text, */
    const char *left, *right;    /* the same with the parentheses around it, */
    const char *sign;        /* and where its operator begins */
    Syntax **items;
    int count;
};

/* The tree of a scalar's text; NULL after reporting an error at its column: syntax, nesting deeper than 64, an unknown word in a parameter
 * (a parameter of `scope` without its `$` is named).  `label` stands before messages, which have a place if the scalar has one.
 * A chain `1 + 2 + 3 ...` leans to the left and may be as long as the text: code that recurses must walk items[0] in a loop. */
Syntax *syntax_read(Arena *a, Diag *d, const Scope *scope, const Yaml *scalar, SyntaxText kind, const char *label);

/* Places in the file: of a node, the same with its parentheses, of its operator. */
Loc syntax_at(const Syntax *n);
Loc syntax_whole(const Syntax *n);
Loc syntax_sign(const Syntax *n);
/* The text of a node without parentheses around it, as written. */
const char *syntax_text(Arena *a, const Syntax *n);

/* The end of the unsigned number at s (3, .5, 2.5e-4), or NULL; the end of the word (letters, digits, '_') at s. */
const char *syntax_number_end(const char *s);
const char *syntax_word_end(const char *s);
/* True if the word [s, end) is a function of parameters. */
bool syntax_is_function(const char *s, const char *end);

#endif
