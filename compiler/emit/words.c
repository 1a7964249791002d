/* words.c -- a model's names as names in C, C++ and Python: which may be a library's, and what becomes of those of inputs and outputs.
 *
 * In: names of the model.  Out: an error where another name is needed; members of structs.  Next: library.c.
 * The one convention: a list of names is one text, with a space before and behind each. */
#include "emit/words.h"
#include "files/text.h"
#include "template/fact.h"
#include <string.h>

/* Words of C++; those of C are no names in a model. */
static const char cpp_words[] =
    " alignas alignof and and_eq bitand bitor bool catch class co_await co_return co_yield compl concept const_cast consteval constexpr "
    "constinit decltype delete"
    " dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected "
    "public reinterpret_cast"
    " requires static_assert static_cast template this thread_local throw true try typeid typename using virtual xor xor_eq ";

/* Macros of the system's headers that stand for something else and are not in capitals (I is), and the types of the struct's own lines, which
 * C++ does not let a member hide. */
static const char macros[] = " complex errno linux stderr stdin stdout unix noreturn math_errhandling I sa_handler sa_sigaction uint8_t int32_t ";

/* Names in the library's own C, beside those of identifier_taken. */
static const char words[] =
    " L N G NULL FIRST MEMORY SCRATCH MAGIC LAYOUT BLOCK Weights WeightsFile Batch Places Scratch put put_first take_first larger forward "
    "example main check fail ";

/* Names at file scope of the library and of its example, which a member of a struct may have, the model not. */
static const char own_words[] = " put_nested level_here compiled_in Array Inflate Code read_file bits_of put_byte code_of symbol block "
                                "inflate number predicted read_png read_npy read_input argc argv ";

/* Headers of C11, and those that they include: the folder of NAME.h is searched before the system's. */
static const char headers[] = " assert complex ctype errno features fenv float inttypes iso646 limits locale math setjmp signal stdalign "
                              "stdarg stdatomic stdbool stddef stdint stdio stdlib"
                              " stdnoreturn string tgmath threads time uchar wchar wctype ";

/* Functions and types of these headers, without the variants that end in f or l, and what gcc's own dialect of C adds to them. */
static const char functions[] = " abort abs acos acosh aligned_alloc asctime asin asinh at_quick_exit atan atan2 atanh atexit atof atoi "
                                "atol bsearch btowc c16rtomb c32rtomb cabs cacos cacosh"
                                " calloc carg casin casinh catan catanh cbrt ccos ccosh ceil cexp cimag clearerr clock clog conj copysign "
                                "cos cosh cpow cproj creal csin csinh csqrt ctan"
                                " ctanh ctime difftime div erf erfc exit exp exp2 expm1 fabs fclose fdim feof ferror fflush fgetc fgetpos "
                                "fgets fgetwc fgetws floor fma fmax fmin fmod fopen"
                                " fprintf fputc fputs fputwc fputws fread free freopen frexp fscanf fseek fsetpos ftell fwide fwprintf "
                                "fwrite fwscanf getc getchar getenv getwc getwchar"
                                " gmtime hypot ilogb imaxabs imaxdiv isalnum isalpha isblank iscntrl isdigit isgraph islower isprint "
                                "ispunct isspace isupper isxdigit labs ldexp ldiv lgamma"
                                " llabs lldiv llrint llround localeconv localtime log log10 log1p log2 logb longjmp lrint lround malloc "
                                "mblen mbtowc memchr memcmp memcpy memmove memset"
                                " mktime modf nan nearbyint nextafter nexttoward perror pow printf putc putchar puts putwc putwchar qsort "
                                "quick_exit raise rand realloc remainder remove"
                                " remquo rename rewind rint round scalbln scalbn scanf setbuf setjmp setlocale setvbuf signal sin sinh "
                                "snprintf sprintf sqrt srand sscanf strcat strchr"
                                " strcmp strcoll strcpy strcspn strerror strftime strlen strncat strncmp strncpy strpbrk strrchr strspn "
                                "strstr strtod strtok strtol strtoll strtoul strtoull"
                                " strxfrm swprintf swscanf system tan tanh tgamma time tmpfile tmpnam tolower toupper trunc ungetc ungetwc "
                                "vfprintf vfscanf vprintf vscanf vsnprintf vsprintf"
                                " vsscanf wcscat wcschr wcscmp wcscpy wcslen wcstod wctomb wprintf wscanf FILE tm timespec ulong ushort"
                                " alloca bcmp bcopy bzero drem ffs finite gamma getline getw index isinf isnan j0 j1 jn popen putw random "
                                "rindex scalb select significand stpcpy strdup y0 y1 yn ";

/* Words of Python that are none of C or C++, what a package for it imports, and what pip reads beside it. */
static const char python_words[] =
    " None True False as assert async await def del elif except finally from global import in is lambda nonlocal pass raise with yield"
    " numpy runtime spnc_wheel pip setuptools wheel ";

/* Modules that Python comes with, of 3.8 to 3.14: it finds them before those that pip installs. */
static const char python_modules[] = " abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop "
                                     "base64 bdb binascii binhex bisect builtins bz2 cProfile"
                                     " calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression "
                                     "concurrent configparser contextlib contextvars copy copyreg"
                                     " crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest "
                                     "dummy_threading email encodings ensurepip enum errno faulthandler"
                                     " fcntl filecmp fileinput fnmatch formatter fractions ftplib functools gc genericpath getopt getpass "
                                     "gettext glob graphlib grp gzip hashlib heapq hmac html"
                                     " http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 "
                                     "linecache locale logging lzma macpath mailbox mailcap marshal"
                                     " math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath "
                                     "nturl2path numbers opcode operator optparse os ossaudiodev parser"
                                     " pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint "
                                     "profile pstats pty pwd py_compile pyclbr pydoc pydoc_data"
                                     " pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select "
                                     "selectors shelve shlex shutil signal site smtpd smtplib"
                                     " sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics "
                                     "string stringprep struct subprocess sunau symbol symtable"
                                     " sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time "
                                     "timeit tkinter token tokenize tomllib trace traceback"
                                     " tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings "
                                     "wave weakref webbrowser winreg winsound wsgiref xdrlib xml"
                                     " xmlrpc zipapp zipfile zipimport zlib zoneinfo ";

/* The first n letters of word are a word of the list. */
static bool is_among(const char *list, const char *word, size_t n)
{
    for (const char *at = list; (at = strchr(at, ' ')); at++)
        if (strncmp(at + 1, word, n) == 0 && at[1 + n] == ' ')
            return n > 0;
    return false;
}

static bool is_in(const char *list, const char *word) { return is_among(list, word, strlen(word)); }

static bool is_word(const char *id) { return is_in(words, id) || is_in(cpp_words, id) || is_in(macros, id) || identifier_taken(id); }

/* NAN, INT_MAX: in capitals, as macros of headers are, and with two other beginnings of theirs.  None of these ends in an underscore. */
static bool is_macro(const char *id)
{
    size_t n = 0;
    bool capital = true;
    for (; id[n]; n++)
        capital = capital && !(id[n] >= 'a' && id[n] <= 'z');
    return n > 2 && id[n - 1] != '_' && (capital || !strncmp(id, "M_", 2) || !strncmp(id, "si_", 3));
}

/* No member of a struct can have this name. */
static bool is_no_member(const char *id)
{
    return is_in(cpp_words, id) || is_in(macros, id) || is_macro(id);
}

/* An input, or an output, of the model is called so. */
static bool is_port(const Model *m, const char *id, bool input)
{
    for (int i = 0; input && i < m->input_count; i++)
        if (strcmp(m->inputs[i].name, id) == 0)
            return true;
    for (int i = 0; !input && i < m->outputs.count; i++)
        if (strcmp(((const Tensor *)m->outputs.items[i])->flow_name, id) == 0)
            return true;
    return false;
}

/* sin, and sinf and sinl with it. */
static bool is_function(const char *id)
{
    const size_t n = strlen(id);
    return is_in(functions, id) || ((id[n - 1] == 'f' || id[n - 1] == 'l') && is_among(functions, id, n - 1));
}

bool library_name_fits(Model *m)
{
    const char *name = m->name;
    const Loc at = yaml_get(m->root, "model")->loc;
    const int before = diag_errors(m->diag);
    if (is_word(name) || is_in(own_words, name))
        diag_error(m->diag, at, "a library cannot be called '%s', a word of C, C++ or its own code: another name for the model, please", name);
    else if (is_in(headers, name) || is_function(name))
        diag_error(m->diag, at, "a library cannot be called '%s', a name of C's own library: another name for the model, please", name);
    else if (text_ends(name, "_t") || text_ends(name, "_forward"))
        diag_error(
            m->diag, at,
            "a library's name cannot end as '%s' does, like those of types and functions in its C: another name for the model, please",
            name);
    else if (m->options.python && is_in(python_words, name))
        diag_error(m->diag, at, "a package cannot be called '%s', a word of Python or a name in its code: another name for the model, please", name);
    else if (m->options.python && is_in(python_modules, name))
        diag_error(m->diag, at,
                   "a package cannot be called '%s', a module that Python comes with and finds first: another name for the model, please",
                   name);
    else if (m->options.python && text_ends(name, "_"))
        diag_error(m->diag, at, "a package's name ends in a letter or a digit, not as '%s' does: another name for the model, please", name);
    return diag_errors(m->diag) == before;
}

const char *library_member(Model *m, const char *name, bool input, const Fact *others)
{
    char *id = arena_copy(m->arena, name, strlen(name));
    for (char *c = id; *c; c++)
        *c = *c == '.' ? '_' : *c;
    for (bool taken = true; taken;) {
        taken = is_no_member(id) || (strcmp(id, name) && is_port(m, id, input));
        for (int i = 0; i < others->items.count; i++)
            taken = taken || strcmp(fact_get(others->items.items[i], "member")->text, id) == 0;
        if (taken)
            id = arena_printf(m->arena, "%s_", id);
    }
    return id;
}
