/* Calls of Accelerate's BLAS and LAPACK, as its headers declare them: compiled once for each size of integers. */
#include <math.h>

#ifdef ILP64
typedef long integer;
#define ROUTINE(name) __asm("_" #name "$NEWLAPACK$ILP64")
#else
typedef int integer;
#define ROUTINE(name) __asm("_" #name "$NEWLAPACK")
#endif
typedef integer logical;
typedef struct { float re, im; } complex8;
typedef struct { double re, im; } complex16;

extern double blas_ddot(integer, const double *, integer, const double *, integer) ROUTINE(cblas_ddot);
extern integer blas_idamax(integer, const double *, integer) ROUTINE(cblas_idamax);
extern void blas_dgemm(int order, int transa, int transb, integer m, integer n, integer k, double alpha,
                       const double *a, integer lda, const double *b, integer ldb, double beta, double *c,
                       integer ldc) ROUTINE(cblas_dgemm);
extern float f_sdot(const integer *, const float *, const integer *, const float *, const integer *) ROUTINE(sdot);
extern integer f_idamax(const integer *, const double *, const integer *) ROUTINE(idamax);
#define DOT(name, type)                                                                                                \
    extern void f_##name(type *, const integer *, const type *, const integer *, const type *, const integer *)        \
        ROUTINE(name)
DOT(cdotc, complex8);
DOT(cdotu, complex8);
DOT(zdotc, complex16);
DOT(zdotu, complex16);
extern void f_dgesv(const integer *n, const integer *nrhs, double *a, const integer *lda, integer *ipiv, double *b,
                    const integer *ldb, integer *info) ROUTINE(dgesv);
extern void f_dgetrf(const integer *m, const integer *n, double *a, const integer *lda, integer *ipiv, integer *info)
    ROUTINE(dgetrf);
extern void f_dgesdd(const char *jobz, const integer *m, const integer *n, double *a, const integer *lda, double *s,
                     double *u, const integer *ldu, double *vt, const integer *ldvt, double *work,
                     const integer *lwork, integer *iwork, integer *info) ROUTINE(dgesdd);
extern void f_dtrsen(const char *job, const char *compq, const logical *select, const integer *n, double *t,
                     const integer *ldt, double *q, const integer *ldq, double *wr, double *wi, integer *m, double *s,
                     double *sep, double *work, const integer *lwork, integer *iwork, const integer *liwork,
                     integer *info) ROUTINE(dtrsen);
extern logical f_disnan(const double *) ROUTINE(disnan);
extern double f_dlamch(const char *) ROUTINE(dlamch);
extern void f_chla_transtype(char *result, integer length, const integer *trans) ROUTINE(chla_transtype);
extern integer f_ilaenv(const integer *spec, const char *name, const char *options, const integer *n1,
                        const integer *n2, const integer *n3, const integer *n4) ROUTINE(ilaenv);

/* Writes results, one behind the other; how many. */
int answers(double *to) {
    double *at = to;
    integer one = 1, two = 2, three = 3, info = 9;

    double x[] = {1, 2, 3}, y[] = {4, -5, 6};
    *at++ = blas_ddot(3, x, 1, y, 1);
    *at++ = (double)blas_idamax(2, y, 1);
    *at++ = (double)f_idamax(&two, y, &one);
    float xf[] = {1, 2, 3}, yf[] = {4, -5, 6};
    *at++ = f_sdot(&three, xf, &one, yf, &one);

    double a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8};
    blas_dgemm(101, 111, 112, 2, 2, 2, 1, a, 2, b, 2, 0, at, 2); /* rows; a times b transposed */
    at += 4;

    complex8 c[] = {{1, 2}, {0, 1}}, d[] = {{3, 4}, {2, 0}}, single;
    complex16 z[] = {{1, 2}, {0, 1}}, w[] = {{3, 4}, {2, 0}};
    f_cdotu(&single, &two, c, &one, d, &one);
    *at++ = single.re, *at++ = single.im;
    f_cdotc(&single, &two, c, &one, d, &one);
    *at++ = single.re, *at++ = single.im;
    f_zdotu((complex16 *)at, &two, z, &one, w, &one);
    at += 2;
    f_zdotc((complex16 *)at, &two, z, &one, w, &one);
    at += 2;

    double matrix[] = {2, 1, 1, 3}, right[] = {3, 5};
    integer pivots[2];
    f_dgesv(&two, &one, matrix, &two, pivots, right, &two, &info);
    *at++ = right[0], *at++ = right[1], *at++ = (double)info;

    /* Singular values of a diagonal. */
    double diagonal[] = {3, 0, 0, 4}, work[256];
    integer lwork = 256, iwork[16], liwork = 16;
    f_dgesdd("N", &two, &two, diagonal, &two, at, 0, &one, 0, &one, work, &lwork, iwork, &info);
    at += 2;
    *at++ = (double)info;

    /* The second eigenvalue goes first: what is chosen is an array of logicals. */
    double t[] = {1, 0, 0, 2}, q[4], wr[2], wi[2], s, sep;
    logical chosen[] = {0, 1};
    integer m = 9;
    f_dtrsen("N", "N", chosen, &two, t, &two, q, &two, wr, wi, &m, &s, &sep, work, &lwork, iwork, &liwork, &info);
    *at++ = wr[0], *at++ = wr[1], *at++ = (double)m, *at++ = (double)info;

    double nan = NAN;
    *at++ = f_disnan(&nan) != 0;
    *at++ = f_disnan(&x[0]) != 0;
    *at++ = f_dlamch("E") * 0x1p53;
    integer transpose = 112;
    char letter = '?';
    f_chla_transtype(&letter, 1, &transpose);
    *at++ = letter;

    /* A wrong argument is told of, and told to the caller. */
    integer negative = -1;
    f_dgetrf(&two, &negative, matrix, &two, pivots, &info);
    *at++ = (double)info;
    return (int)(at - to);
}

/* A function that wants a string's length. */
int block_size(void) {
    integer one = 1, n = 100, none = -1;
    return (int)f_ilaenv(&one, "DGETRF", " ", &n, &n, &none, &none);
}
