/* vmath_body.h -- the bodies of the functions that vmath.h lists; vmath.h and rmath.h include it once for each kind of number.
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

/* e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)), n and r as in exp: what is added to e^r - 1 is exact while it matters. */
static inline T X(expm1)(T x)
{
#if SPN_WIDE
    T c = X(min)(K(710), X(max)(K(-746), x));
#else
    T c = X(min)(K(89), X(max)(K(-104), x));
#endif
    T n = X(floor)(X(fma)(c, K(0x1.71547652b82fep+0), K(0.5))), half = X(ldexp)(K(0.5), n);
#if SPN_WIDE
    T high = X(fnma)(n, K(0x1.62e42fefa39efp-1), c), z = X(fnma)(n, K(0x1.abc9e3b39803fp-56), high);
    T lost = X(fnma)(n, K(0x1.abc9e3b39803fp-56), X(sub)(high, z));
    T p = K(1.0 / 6227020800);
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
#else
    T z = X(fnma)(n, K(-0x1.05c61p-29), X(fnma)(n, K(0x1.62e43p-1), c)), lost = K(0);
    T p = K(0x1.6a2448p-10);
    STEP(0x1.1239d6p-7);
    STEP(0x1.5558f2p-5);
    STEP(0x1.555492p-3);
    STEP(0x1.fffffcp-2);
#endif
    T low = X(fma)(X(mul)(z, z), p, lost), top = X(sub)(half, K(0.5));
    T s = X(fma)(half, z, top);             /* and what its rounding loses, where top is the larger */
    T rest = X(select)(X(lt)(X(abs)(top), half), X(fma)(half, z, X(sub)(top, s)), K(0));
    s = X(add)(s, X(fma)(half, low, rest));
    return X(select)(X(lt)(X(abs)(x), K(0x1p-55)), x, X(add)(s, s));
}

/* ln(1 + x) = ln u + (what 1 + x is short of u) / u, u being 1 + x rounded. */
static inline T X(log1p)(T x)
{
    T u = X(add)(K(1), x), rest = X(sub)(x, X(sub)(u, K(1)));
    T r = X(select)(X(lt)(K(0), u), X(add)(X(log)(u), X(div)(rest, u)), X(log)(u));
    r = X(select)(X(lt)(x, K(INFINITY)), r, x);
    return X(select)(X(eq)(u, K(1)), x, r);
}

/* erf x = x + x P(x^2) for |x| < 1; else 1 - erfc |x| with the sign of x, erfc being e to a polynomial (float), or e^(-x^2) times one of
 * (|x| - 5/2) / (|x| + 5/2) (double), up to where the result is 1.  bench/probes/coefficients.py has the fits, also of what follows. */
static inline T X(erf)(T x)
{
    T a = X(abs)(x), z = X(mul)(x, x);
#if SPN_WIDE
    T p = K(-0x1.0aaeda9ae27ecp-35);
    STEP(0x1.22775967eaeb5p-32);
    STEP(-0x1.e14f4c86d42bep-30);
    STEP(0x1.0e5fffdc11399p-26);
    STEP(-0x1.61c33716befd5p-23);
    STEP(0x1.ba20db9c24cd9p-20);
    STEP(-0x1.f4d6525cf97adp-17);
    STEP(0x1.f9a35712997fdp-14);
    STEP(-0x1.c02db590329afp-11);
    STEP(0x1.565bcd1705b84p-8);
    STEP(-0x1.b82ce312c3fa7p-6);
    STEP(0x1.ce2f21a043a4cp-4);
    STEP(-0x1.812746b037a01p-2);
    STEP(0x1.06eba8214db69p-3);
    T near = X(fma)(x, p, x), c = X(min)(K(6), a), square = X(mul)(c, c);
    T e = X(exp)(X(neg)(square));
    e = X(fma)(e, X(fnma)(c, c, square), e);
    z = X(div)(X(sub)(c, K(2.5)), X(add)(c, K(2.5)));
    p = K(0x1.0969d42ebc9e9p-17);
    STEP(0x1.605f7a5eebf6dp-20);
    STEP(-0x1.efdf9ce7deb83p-18);
    STEP(-0x1.1685edd00b07cp-20);
    STEP(0x1.bc5f764d9dd52p-19);
    STEP(0x1.fc0d500b15e8dp-22);
    STEP(-0x1.4b9821f26f7a9p-19);
    STEP(-0x1.3ee3d5e6f13e6p-19);
    STEP(0x1.0088298250c89p-17);
    STEP(0x1.3873f4f579f1cp-16);
    STEP(-0x1.1ecf429a87946p-15);
    STEP(-0x1.0e46c304a0fc7p-13);
    STEP(0x1.def305ee184c8p-13);
    STEP(0x1.cb3b62b160c7ap-11);
    STEP(-0x1.5a5716edf97b9p-9);
    STEP(-0x1.05bb2fe67fc2fp-8);
    STEP(0x1.470ba1f687ecbp-5);
    STEP(-0x1.0011543716b6fp-3);
    STEP(0x1.01c11a735cd7p-2);
    STEP(-0x1.7ca88dec217a7p-2);
    STEP(0x1.afbb3f3b7343bp-3);
    T far = X(fnma)(e, p, K(1));
#else
    T p = K(0x1.48edeep-14);
    STEP(-0x1.a3c95cp-11);
    STEP(0x1.53ff92p-8);
    STEP(-0x1.b7f858p-6);
    STEP(0x1.ce2cfp-4);
    STEP(-0x1.81273ep-2);
    STEP(0x1.06eba8p-3);
    T near = X(fma)(x, p, x);
    z = X(sub)(X(min)(K(4), a), K(2));
    p = K(-0x1.0c2c2cp-18);
    STEP(-0x1.c59bep-18);
    STEP(-0x1.f7b04cp-17);
    STEP(0x1.46e146p-13);
    STEP(-0x1.7c6ddcp-11);
    STEP(0x1.d2b77ep-9);
    STEP(-0x1.0de076p-6);
    STEP(-0x1.d8f5dep-1);
    STEP(-0x1.1ac322p+2);
    STEP(-0x1.575b32p+2);
    T far = X(sub)(K(1), X(exp)(p));
#endif
    return X(select)(X(lt)(a, K(1)), near, X(select)(X(lt)(x, K(0)), X(neg)(far), far));
}

/* sin(x + quarter pi / 2): x = n pi / 2 + r, |r| <= pi / 4, pi / 2 in three pieces; the fma makes n times the first exact.  `lost` is the
 * third piece and, where the difference is exact, what r's rounding loses.  From 2^24 on (double: 2^50) neighbours are as far apart as
 * half a period: such x count as 0. */
static inline T X(quarter_sin)(T x, T quarter)
{
#if SPN_WIDE
    T c = X(select)(X(lt)(X(abs)(x), K(0x1p50)), x, X(mul)(x, K(0)));
    T n = X(floor)(X(fma)(c, K(0x1.45f306dc9c883p-1), K(0.5)));
    T high = X(fnma)(n, K(0x1.921fb54442d18p+0), c), r = X(fnma)(n, K(0x1.1a62633145c07p-54), high);
    T rest = X(select)(X(lt)(K(0x1p-4), X(abs)(high)), X(fnma)(n, K(0x1.1a62633145c07p-54), X(sub)(high, r)), K(0));
    T lost = X(fnma)(n, K(-0x1.f1976b7ed8fbcp-110), rest);
    T z = X(mul)(r, r), p = K(0x1.5d8e4f9d34a4ap-33);
    STEP(-0x1.ae5e54bf4d91fp-26);
    STEP(0x1.71de355f5386cp-19);
    STEP(-0x1.a01a019bf261dp-13);
    STEP(0x1.111111110f75ep-7);
    STEP(-0x1.5555555555548p-3);
#else
    T c = X(select)(X(lt)(X(abs)(x), K(0x1p24)), x, X(mul)(x, K(0)));
    T n = X(floor)(X(fma)(c, K(0x1.45f306p-1), K(0.5)));
    T high = X(fnma)(n, K(0x1.921fb6p+0), c), r = X(fnma)(n, K(-0x1.777a5cp-25), high);
    T rest = X(select)(X(lt)(K(0x1p-7), X(abs)(high)), X(fnma)(n, K(-0x1.777a5cp-25), X(sub)(high, r)), K(0));
    T lost = X(fnma)(n, K(-0x1.ee59dap-50), rest);
    T z = X(mul)(r, r), p = K(-0x1.992cf8p-13);
    STEP(0x1.1106e6p-7);
    STEP(-0x1.555544p-3);
#endif
    T sine = X(add)(r, X(fma)(X(mul)(r, z), p, lost));
#if SPN_WIDE
    p = K(-0x1.8f9f7f0a19c7fp-37);
    STEP(0x1.1ee9ccea46572p-29);
    STEP(-0x1.27e4f7d9283ccp-22);
    STEP(0x1.a01a019c68c8p-16);
    STEP(-0x1.6c16c16c14e4bp-10);
    STEP(0x1.555555555554ap-5);
#else
    p = K(0x1.99e914p-16);
    STEP(-0x1.6c0c2ap-10);
    STEP(0x1.55554ap-5);
#endif
    T most = X(fnma)(z, K(0.5), K(1));      /* 1 - r^2 / 2, and what its rounding loses */
    T cosine = X(add)(most, X(fma)(X(mul)(z, z), p, X(fnma)(r, lost, X(fnma)(z, K(0.5), X(sub)(K(1), most)))));
    T q = X(add)(n, quarter);
    q = X(fnma)(X(floor)(X(mul)(q, K(0.25))), K(4), q);                 /* 0, 1, 2 or 3 */
    T y = X(select)(X(eq)(q, K(0)), sine, X(select)(X(eq)(q, K(2)), sine, cosine));
    return X(select)(X(lt)(q, K(2)), y, X(neg)(y));
}

static inline T X(sin)(T x) { return X(select)(X(eq)(x, K(0)), x, X(quarter_sin)(x, K(0))); }
static inline T X(cos)(T x) { return X(quarter_sin)(x, K(1)); }

/* x^y = e^(y ln x), ln x as a sum of two numbers: ln x = e ln 2 + 2 s + s^3 P(s^2), s = f / (2 + f), x = 2^e (1 + f).  A negative x has a
 * power for whole y alone, else NaN; -0 counts as 0; x^0 is 1, for NaN too. */
static inline T X(pow)(T x, T y)
{
    T a = X(abs)(x);
#if SPN_WIDE
    T scaled = X(mul)(a, K(0x1p54)), least = K(0x1p-1022), shift = K(54);
#else
    T scaled = X(mul)(a, K(0x1p24)), least = K(0x1p-126), shift = K(24);
#endif
    T b = X(select)(X(lt)(a, least), scaled, a);
    T e = X(sub)(X(exponent)(b), X(select)(X(lt)(a, least), shift, K(0))), m = X(mantissa)(b);
    e = X(select)(X(lt)(K(0x1.6a09e6p+0), m), X(add)(e, K(1)), e);
    m = X(select)(X(lt)(K(0x1.6a09e6p+0), m), X(mul)(m, K(0.5)), m);
    T f = X(sub)(m, K(1)), d = X(add)(K(2), f), s = X(div)(f, d);
    T lost = X(div)(X(fnma)(s, X(sub)(f, X(sub)(d, K(2))), X(fnma)(s, d, f)), d), z = X(mul)(s, s);
#if SPN_WIDE
    T p = K(0x1.0f068a5d2b76cp-3), first = K(0x1.62e42fefa38p-1), second = K(0x1.ef35793c7673p-45);
    STEP(0x1.0f681aebf248ep-3);
    STEP(0x1.3b201a92e08c7p-3);
    STEP(0x1.745ce204c585ep-3);
    STEP(0x1.c71c724aa58ffp-3);
    STEP(0x1.249249243a1b2p-2);
    STEP(0x1.9999999999d0bp-2);
    T two_thirds = K(0x1.5555555555555p-1);
#else
    T p = K(0x1.31e044p-2), first = K(0x1.62ep-1), second = K(0x1.0bfbe8p-15);
    STEP(0x1.995ed8p-2);
    T two_thirds = K(0x1.55557ap-1);
#endif
    T cube = X(mul)(s, z), fine = X(fma)(s, X(fma)(s, s, X(neg)(z)), X(fma)(s, z, X(neg)(cube)));     /* s^3 = cube + fine */
    fine = X(fma)(X(mul)(K(3), z), lost, fine);
    T top = X(fma)(p, z, two_thirds), under = X(fma)(p, z, X(sub)(two_thirds, top)), c = X(mul)(cube, top);
    fine = X(fma)(cube, under, X(fma)(fine, top, X(fma)(cube, top, X(neg)(c))));
    T whole = X(mul)(e, first), twice = X(add)(s, s), most = X(add)(whole, twice), high = X(add)(most, c);
    T low = X(add)(X(sub)(twice, X(sub)(most, whole)), X(sub)(c, X(sub)(high, most)));
    low = X(add)(low, X(fma)(e, second, X(add)(fine, X(add)(lost, lost))));
    T log = X(add)(high, low), rest = X(sub)(low, X(sub)(log, high));
    T product = X(mul)(y, log), t = X(exp)(product);
    T finer = X(fma)(t, X(fma)(y, rest, X(fma)(y, log, X(neg)(product))), t);
    t = X(select)(X(lt)(K(0), t), X(select)(X(lt)(t, K(INFINITY)), finer, t), t);
    t = X(select)(X(eq)(a, K(0)), X(select)(X(lt)(y, K(0)), K(INFINITY), K(0)), t);
    t = X(select)(X(eq)(a, K(INFINITY)), X(select)(X(lt)(y, K(0)), K(0), K(INFINITY)), t);
    T half = X(mul)(y, K(0.5)), odd = X(select)(X(eq)(X(floor)(half), half), t, X(neg)(t));
    t = X(select)(X(lt)(x, K(0)), X(select)(X(eq)(X(floor)(y), y), odd, K(NAN)), t);
    t = X(select)(X(eq)(x, x), t, x);
    return X(select)(X(eq)(y, K(0)), K(1), t);
}

/* The functions of formulas that are a comparison and a choice.  lesser and greater are min and max: the first operand at a tie, NaN if
 * either is; X(min) and X(max) take the other one then. */
static inline T X(relu)(T x) { return X(max)(K(0), x); }
static inline T X(sign)(T x) { return X(select)(X(lt)(K(0), x), K(1), X(select)(X(lt)(x, K(0)), K(-1), K(0))); }
static inline T X(lesser)(T a, T b) { return X(select)(X(eq)(b, b), X(min)(b, a), b); }
static inline T X(greater)(T a, T b) { return X(select)(X(eq)(b, b), X(max)(b, a), b); }

#undef STEP
#undef T
#undef X
#undef K
#undef SPN_WIDE
