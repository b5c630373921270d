/* math.h, fenv.h: entry points that libm has not, and the floating-point environment's own layout. */
#include "darwin_common.h"

#include <fenv.h>
#include <math.h>

/* math.h: sine and cosine at once, returned in two registers. */
struct pair {
    double sine, cosine;
};
struct pair_f {
    float sine, cosine;
};
DARWIN_EXPORT struct pair forge_darwin___sincos_stret(double x) {
    struct pair result;
    sincos(x, &result.sine, &result.cosine);
    return result;
}
DARWIN_EXPORT struct pair_f forge_darwin___sincosf_stret(float x) {
    struct pair_f result;
    sincosf(x, &result.sine, &result.cosine);
    return result;
}

/* sin(pi x) and its kin: exact where x is a multiple of a half, so the argument is reduced before pi comes in. */
static double sine_of_half_turns(double x, int quarter) {
    if (!isfinite(x))
        return x - x;
    double reduced = fmod(fabs(x), 2.0);
    int part = (int)floor(reduced * 2.0 + 0.5); /* the nearest multiple of a quarter turn, 0 to 4 */
    double rest = (reduced - part * 0.5) * M_PI;
    switch ((part + quarter) & 3) {
    case 0: return sin(rest);
    case 1: return cos(rest);
    case 2: return rest == 0.0 ? 0.0 : -sin(rest);
    default: return -cos(rest);
    }
}
DARWIN_EXPORT double forge_darwin___sinpi(double x) { return copysign(1.0, x) * sine_of_half_turns(x, 0); }
DARWIN_EXPORT double forge_darwin___cospi(double x) {
    double value = sine_of_half_turns(x, 1);
    return value == 0.0 ? 0.0 : value;
}
DARWIN_EXPORT double forge_darwin___tanpi(double x) { return forge_darwin___sinpi(x) / forge_darwin___cospi(x); }
DARWIN_EXPORT float forge_darwin___sinpif(float x) { return (float)forge_darwin___sinpi(x); }
DARWIN_EXPORT float forge_darwin___cospif(float x) { return (float)forge_darwin___cospi(x); }
DARWIN_EXPORT float forge_darwin___tanpif(float x) { return (float)forge_darwin___tanpi(x); }
DARWIN_EXPORT struct pair forge_darwin___sincospi_stret(double x) {
    return (struct pair){forge_darwin___sinpi(x), forge_darwin___cospi(x)};
}
DARWIN_EXPORT struct pair_f forge_darwin___sincospif_stret(float x) {
    return (struct pair_f){forge_darwin___sinpif(x), forge_darwin___cospif(x)};
}
/* clang makes it of pow(10, x), here too where it sees the ten. glibc's exp10 misses 1e3 and other whole powers by a bit,
 * which its pow does not. */
static const volatile double ten = 10.0;
DARWIN_EXPORT double forge_darwin___exp10(double x) { return pow(ten, x); }
DARWIN_EXPORT float forge_darwin___exp10f(float x) { return (float)pow(ten, (double)x); }

/* math.h: FP_NAN is 1 and so on; glibc's start at 0. */
static int classify(int host) {
    switch (host) {
    case FP_NAN: return DARWIN_FP_NAN;
    case FP_INFINITE: return DARWIN_FP_INFINITE;
    case FP_ZERO: return DARWIN_FP_ZERO;
    case FP_SUBNORMAL: return DARWIN_FP_SUBNORMAL;
    default: return DARWIN_FP_NORMAL;
    }
}
DARWIN_EXPORT int forge_darwin___fpclassifyf(float x) { return classify(fpclassify(x)); }
DARWIN_EXPORT int forge_darwin___fpclassifyd(double x) { return classify(fpclassify(x)); }
#ifdef __x86_64__
DARWIN_EXPORT int forge_darwin___fpclassifyl(long double x) { return classify(fpclassify(x)); }
#else
DARWIN_EXPORT int forge_darwin___fpclassifyl(double x) { return classify(fpclassify(x)); }
#endif
DARWIN_EXPORT int forge_darwin___math_errhandling(void) { return 2; /* MATH_ERREXCEPT: Darwin's libm sets no errno */ }

/* ilogb's results for 0 and NaN: glibc's FP_ILOGBNAN is INT_MIN too on x86_64, but INT_MAX on aarch64. */
_Static_assert(DARWIN_FP_ILOGB0 == DARWIN_FP_ILOGBNAN, "both are INT_MIN");
DARWIN_EXPORT int forge_darwin_ilogb(double x) { return isnan(x) || x == 0 ? DARWIN_FP_ILOGB0 : ilogb(x); }
DARWIN_EXPORT int forge_darwin_ilogbf(float x) { return isnan(x) || x == 0 ? DARWIN_FP_ILOGB0 : ilogbf(x); }
#ifdef __x86_64__
DARWIN_EXPORT int forge_darwin_ilogbl(long double x) { return isnan(x) || x == 0 ? DARWIN_FP_ILOGB0 : ilogbl(x); }
#endif

#ifdef __x86_64__
/* fenv.h: fenv_t is {control, status, mxcsr, 8 reserved bytes}, half of glibc's, and FE_ALL_EXCEPT includes the
 * denormal-operand flag (0x02), which glibc's functions mask away. */
struct darwin_fenv {
    uint16_t control, status;
    uint32_t mxcsr;
    char reserved[8];
};
_Static_assert(sizeof(struct darwin_fenv) == 16, "fenv_t (fenv.h, x86_64)");
DARWIN_EXPORT const struct darwin_fenv forge_darwin__FE_DFL_ENV = {0x037f, 0, 0x1f80, {0}};
DARWIN_EXPORT const struct darwin_fenv forge_darwin__FE_DFL_DISABLE_SSE_DENORMS_ENV = {0x037f, 0, 0x9fc0, {0}};

DARWIN_EXPORT int forge_darwin_fegetenv(struct darwin_fenv *env) {
    __asm__ volatile("fnstcw %0\n\tfnstsw %1\n\tstmxcsr %2" : "=m"(env->control), "=m"(env->status), "=m"(env->mxcsr));
    return 0;
}
DARWIN_EXPORT int forge_darwin_fesetenv(const struct darwin_fenv *env) {
    struct {
        uint16_t control, a, status, b, tag, c;
        uint32_t rest[4];
    } x87;
    __asm__ volatile("fnstenv %0" : "=m"(x87));
    x87.control = env->control;
    x87.status = (uint16_t)((x87.status & ~DARWIN_FE_ALL_EXCEPT) | (env->status & DARWIN_FE_ALL_EXCEPT));
    __asm__ volatile("fldenv %0\n\tldmxcsr %1" : : "m"(x87), "m"(env->mxcsr));
    return 0;
}
DARWIN_EXPORT int forge_darwin_feholdexcept(struct darwin_fenv *env) {
    forge_darwin_fegetenv(env);
    uint32_t mxcsr = (env->mxcsr | 0x1f80u) & ~0x3fu;
    uint16_t control = env->control | 0x3f;
    __asm__ volatile("fnclex\n\tfldcw %0\n\tldmxcsr %1" : : "m"(control), "m"(mxcsr));
    return 0;
}
DARWIN_EXPORT int forge_darwin_feupdateenv(const struct darwin_fenv *env) {
    int raised = fetestexcept(FE_ALL_EXCEPT);
    forge_darwin_fesetenv(env);
    return feraiseexcept(raised);
}
/* The denormal flag is a flag like the others here. */
DARWIN_EXPORT int forge_darwin_fetestexcept(int flags) {
    uint16_t status;
    uint32_t mxcsr;
    __asm__ volatile("fnstsw %0\n\tstmxcsr %1" : "=m"(status), "=m"(mxcsr));
    return (int)((status | mxcsr) & (uint32_t)flags & DARWIN_FE_ALL_EXCEPT);
}
DARWIN_EXPORT int forge_darwin_feclearexcept(int flags) {
    struct darwin_fenv env;
    forge_darwin_fegetenv(&env);
    uint32_t kept = ~((uint32_t)flags & DARWIN_FE_ALL_EXCEPT);
    env.status = (uint16_t)(env.status & kept);
    env.mxcsr &= kept;
    return forge_darwin_fesetenv(&env);
}
#else
/* fenv.h, arm64: {fpsr, fpcr} as 64-bit words; glibc's are 32-bit. FE_DENORMAL-like 0x80 is FE_FLUSHTOZERO. */
struct darwin_fenv {
    uint64_t status, control;
};
_Static_assert(sizeof(struct darwin_fenv) == 16, "fenv_t (fenv.h, arm64)");
DARWIN_EXPORT const struct darwin_fenv forge_darwin__FE_DFL_ENV = {0, 0};
DARWIN_EXPORT const struct darwin_fenv forge_darwin__FE_DFL_DISABLE_DENORMS_ENV = {0, 1 << 24};
DARWIN_EXPORT int forge_darwin_fegetenv(struct darwin_fenv *env) {
    __asm__ volatile("mrs %0, fpsr\n\tmrs %1, fpcr" : "=r"(env->status), "=r"(env->control));
    return 0;
}
DARWIN_EXPORT int forge_darwin_fesetenv(const struct darwin_fenv *env) {
    __asm__ volatile("msr fpsr, %0\n\tmsr fpcr, %1" : : "r"(env->status), "r"(env->control));
    return 0;
}
DARWIN_EXPORT int forge_darwin_feholdexcept(struct darwin_fenv *env) {
    forge_darwin_fegetenv(env);
    struct darwin_fenv quiet = {env->status & ~(uint64_t)0x9f, env->control & ~(uint64_t)0x9f00};
    return forge_darwin_fesetenv(&quiet);
}
DARWIN_EXPORT int forge_darwin_feupdateenv(const struct darwin_fenv *env) {
    int raised = fetestexcept(FE_ALL_EXCEPT);
    forge_darwin_fesetenv(env);
    return feraiseexcept(raised);
}
#endif
