/* vmath_body.h -- the bodies of exp, log, tanh and sigmoid; vmath.h and rmath.h include it once for each kind of number.
 * T is that kind (vec, real or double), X(f) its function f, K(c) a constant of it; SPN_WIDE is defined if it holds
 * doubles.  There is no branch on a value, so a lane's result does not depend on other lanes. */

#define STEP(c) p = X(fma)(p, z, K(c))      /* Horner's rule for the polynomial p in z */

/* e^x = 2^n e^r, n the whole number nearest x / ln 2, |r| <= ln(2) / 2.  n ln 2 is taken off in two pieces; the fma
 * makes the first exact.  Beyond the clamps 2^n itself gives infinity and 0; max and min in this order keep NaN. */
static inline T X(exp)(T x)
{
#if SPN_WIDE
    T c = X(min)(K(710), X(max)(K(-746), x));
#else
    T c = X(min)(K(89), X(max)(K(-104), x));
#endif
    T n = X(floor)(X(fma)(c, K(0x1.71547652b82fep+0), K(0.5)));
#if SPN_WIDE
    T high = X(fnma)(n, K(0x1.62e42fefa39efp-1), c), z = X(fnma)(n, K(0x1.abc9e3b39803fp-56), high);
    T lost = X(fnma)(n, K(0x1.abc9e3b39803fp-56), X(sub)(high, z));
    T p = K(1.0 / 6227020800);              /* Taylor's series to r^13 / 13!: 4e-18 are missing at the ends */
    STEP(1.0 / 479001600);
    STEP(1.0 / 39916800);
    STEP(1.0 / 3628800);
    STEP(1.0 / 362880);
    STEP(1.0 / 40320);
    STEP(1.0 / 5040);
    STEP(1.0 / 720);
    STEP(1.0 / 120);
    STEP(1.0 / 24);
    STEP(1.0 / 6);
    STEP(0.5);
    T s = X(add)(K(1), z);                  /* 1 + z, and what its rounding loses */
    p = X(add)(s, X(add)(X(sub)(z, X(sub)(s, K(1))), X(fma)(X(mul)(z, z), p, lost)));
#else
    T z = X(fnma)(n, K(-0x1.05c61p-29), X(fnma)(n, K(0x1.62e43p-1), c));
    T p = K(0x1.6a2448p-10);                /* (e^r - 1 - r) / r^2 fitted to a relative error of 3e-9 in e^r */
    STEP(0x1.1239d6p-7);
    STEP(0x1.5558f2p-5);
    STEP(0x1.555492p-3);
    STEP(0x1.fffffcp-2);
    STEP(1);
    STEP(1);
#endif
    return X(ldexp)(p, n);
}

/* ln x = e ln 2 + ln(1 + f), x = 2^e (1 + f), 1 + f within [sqrt(1/2), sqrt(2)]; ln 2 in two pieces, e times the first
 * exact.  Subnormal x are scaled up first. */
static inline T X(log)(T x)
{
#if SPN_WIDE
    T scaled = X(mul)(x, K(0x1p54)), least = K(0x1p-1022), shift = K(54);
#else
    T scaled = X(mul)(x, K(0x1p24)), least = K(0x1p-126), shift = K(24);
#endif
    T y = X(select)(X(lt)(x, least), scaled, x);
    T e = X(sub)(X(exponent)(y), X(select)(X(lt)(x, least), shift, K(0)));
    T m = X(mantissa)(y);
    e = X(select)(X(lt)(K(0x1.6a09e6p+0), m), X(add)(e, K(1)), e);
    m = X(select)(X(lt)(K(0x1.6a09e6p+0), m), X(mul)(m, K(0.5)), m);
    T f = X(sub)(m, K(1));
#if SPN_WIDE
    T s = X(div)(f, X(add)(K(2), f)), z = X(mul)(s, s), h = X(mul)(K(0.5), X(mul)(f, f));      /* fdlibm's e_log.c */
    T p = K(1.479819860511658591e-01);
    STEP(1.531383769920937332e-01);
    STEP(1.818357216161805012e-01);
    STEP(2.222219843214978396e-01);
    STEP(2.857142874366239149e-01);
    STEP(3.999999999940941908e-01);
    STEP(6.666666666666735130e-01);
    T low = X(fma)(s, X(fma)(p, z, h), X(mul)(e, K(1.90821492927058770002e-10)));
    T r = X(fma)(e, K(6.93147180369123816490e-01), X(sub)(f, X(sub)(h, low)));
#else
    T z = f, ff = X(mul)(f, f), p = K(7.0376836292e-2);                                        /* Cephes' logf.c */
    STEP(-1.1514610310e-1);
    STEP(1.1676998740e-1);
    STEP(-1.2420140846e-1);
    STEP(1.4249322787e-1);
    STEP(-1.6668057665e-1);
    STEP(2.0000714765e-1);
    STEP(-2.4999993993e-1);
    STEP(3.3333331174e-1);
    T low = X(fma)(e, K(-2.12194440e-4), X(mul)(X(mul)(ff, f), p));
    T r = X(fma)(e, K(0.693359375), X(add)(f, X(fma)(ff, K(-0.5), low)));
#endif
    r = X(select)(X(lt)(x, K(INFINITY)), r, x);                 /* infinity and NaN stay what they are */
    r = X(select)(X(eq)(x, K(0)), K(-INFINITY), r);
    return X(select)(X(lt)(x, K(0)), K(NAN), r);
}

/* tanh x = x + x^3 P(x^2) for small |x|, else 1 - 2 / (e^2|x| + 1) with the sign of x (both from Cephes). */
static inline T X(tanh)(T x)
{
    T a = X(abs)(x), z = X(mul)(x, x);
#if SPN_WIDE
    T p = K(-9.64399179425052238628e-1);
    STEP(-9.92877231001918586564e1);
    STEP(-1.61468768441708447952e3);
    T top = p;
    p = X(add)(z, K(1.12811678491632931402e2));
    STEP(2.23548839060100448583e3);
    STEP(4.84406305325125486048e3);
    p = X(div)(top, p);
#else
    T p = K(-5.70498872745e-3);
    STEP(2.06390887954e-2);
    STEP(-5.37397155531e-2);
    STEP(1.33314422036e-1);
    STEP(-3.33332819422e-1);
#endif
    T near = X(fma)(X(mul)(p, z), x, x);
    T far = X(sub)(K(1), X(div)(K(2), X(add)(X(exp)(X(add)(a, a)), K(1))));
    return X(select)(X(lt)(a, K(0.625)), near, X(select)(X(lt)(x, K(0)), X(neg)(far), far));
}

/* 1 / (1 + e^-x), or e^x / (1 + e^x) for negative x: the exponential is never above 1, and small results keep their
 * digits. */
static inline T X(sigmoid)(T x)
{
    T e = X(exp)(X(neg)(X(abs)(x)));
    T top = X(select)(X(lt)(x, K(0)), e, K(1)), s = X(add)(K(1), e), y = X(div)(top, s);
#if SPN_WIDE                                /* one step of correction: what y * (1 + e) is short of top, e unrounded */
    T lost = X(sub)(e, X(sub)(s, K(1)));
    y = X(add)(y, X(div)(X(fnma)(y, lost, X(fnma)(y, s, top)), s));
#endif
    return y;
}

#undef STEP
#undef T
#undef X
#undef K
#undef SPN_WIDE
