"""coefficients.py -- the polynomials of runtime/vmath_body.h, fitted anew: each with its interval, what is fitted, and its largest error.

Weighted least squares at the zeros of a Chebyshev polynomial, in 60 digits, the error relative to the function's value: near the best in the largest
error, and without a search.  The coefficients are then rounded to the format one after the other, the lowest power first; after each, the others are
fitted again, so that they make up for its rounding.
usage: bench/probes/coefficients.py       needs mpmath; prints C constants, the highest power first, as Horner's rule takes them
"""
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, erf, erfc, exp, log, sin, sqrt, floor, frexp, ldexp, atanh

mp.dps = 60
NODES = 160


def rounded(x, bits):
    m, e = frexp(x)
    return ldexp(floor(ldexp(m, bits) + mpf("0.5")), e - bits)


def hexadecimal(x, bits):
    if x == 0:
        return "0"
    sign, (m, e) = "-" if x < 0 else "", frexp(abs(x))
    whole = int(ldexp(m, bits)) << (53 - bits)
    digits = f"{whole & ((1 << 52) - 1):013x}".rstrip("0")
    return f"{sign}0x1{'.' + digits if digits else ''}p{e - 1:+d}"


def fit(name, target, weight, low, high, terms, bits):
    """target(t) by c0 + c1 t + ... in [low, high]; the error of c times weight(t) is what is made small."""
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * k + 1) / (2 * NODES)) for k in range(NODES)]
    weights, values, chosen = [weight(t) for t in nodes], [target(t) for t in nodes], []
    for first in range(terms):
        n = terms - first
        rows = [[w * t ** (first + j) for j in range(n)] for t, w in zip(nodes, weights)]
        rest = [w * (v - sum(c * t ** j for j, c in enumerate(chosen))) for t, w, v in zip(nodes, weights, values)]
        a = matrix(n, n)
        b = matrix(n, 1)
        for i in range(n):
            for j in range(i, n):
                a[i, j] = a[j, i] = sum(r[i] * r[j] for r in rows)
            b[i] = sum(r[i] * y for r, y in zip(rows, rest))
        chosen.append(rounded(lu_solve(a, b)[0], bits))
    worst = max(abs(w * (v - sum(c * t ** j for j, c in enumerate(chosen)))) for t, w, v in zip(nodes, weights, values))
    print(f"{name}, {bits} bits: error {mp.nstr(worst, 2)}")
    for c in reversed(chosen):
        print(f"    {hexadecimal(c, bits)}")


def pieces(name, value, count, bits, keep=None):
    """value as a sum of numbers of `bits` bits, the first of `keep`, each what the ones before leave."""
    out = []
    for k in range(count):
        out.append(rounded(value, keep if keep and k == 0 else bits))
        value -= out[-1]
    print(f"{name}, {bits} bits: " + "  ".join(hexadecimal(x, bits) for x in out))


def main():
    fourth = pi / 4 + mpf("1e-6")
    for bits, terms in ((24, (7, 10, 3, 3, 3)), (53, (14, 21, 6, 6, 8))):
        near, far, sines, cosines, logs = terms
        z = mpf("1e-30")
        fit("erf(x) / x - 1 in x^2, |x| < 1", lambda t: erf(sqrt(t)) / sqrt(t) - 1, lambda t: sqrt(t) / erf(sqrt(t)), z, 1, near, bits)
        if bits == 24:
            fit("log erfc(x) in x - 2, 1 <= x < 4, as 1 - e^p", lambda t: log(erfc(t + 2)), lambda t: erfc(t + 2), -1, 2, far, bits)
        else:
            def scaled(u):
                x = mpf(5) / 2 * (1 + u) / (1 - u)
                return exp(x * x) * erfc(x)
            fit("e^(x^2) erfc(x) in u = (x - 5/2) / (x + 5/2), 1 <= x < 6", scaled, lambda u: 1 / scaled(u), mpf(-3) / 7, mpf(7) / 17, far, bits)
        fit("(sin r - r) / r^3 in r^2, |r| <= pi / 4", lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, lambda t: t * sqrt(t) / sin(sqrt(t)), z, fourth ** 2, sines, bits)
        fit("(cos r - 1 + r^2 / 2) / r^4 in r^2, |r| <= pi / 4", lambda t: (cos(sqrt(t)) - 1 + t / 2) / t ** 2, lambda t: t ** 2 / cos(sqrt(t)), z, fourth ** 2, cosines, bits)
        s = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1) * mpf("1.0001")
        fit("(2 atanh s - 2 s) / s^3 in s^2, |s| <= 0.1716", lambda t: (2 * atanh(sqrt(t)) - 2 * sqrt(t)) / (t * sqrt(t)), lambda t: t / 2, z, s ** 2, logs, bits)
        pieces("pi / 2", pi / 2, 3, bits)
        pieces("ln 2, the first with room for an exponent", log(mpf(2)), 3, bits, bits - 11)


main()
