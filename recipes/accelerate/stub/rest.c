/* What the reference BLAS and LAPACK have and Accelerate's new interface lacks, under the names that it would have there:
 * who generates declarations from the reference's list of routines (scipy's cython_blas and cython_lapack) finds all of it.
 *
 * Compiled once for each size of integers: SUFFIX is $NEWLAPACK or $NEWLAPACK$ILP64, INTEGER the type. Arguments are by
 * reference, as in all of the interface; strings come without their hidden lengths.
 */

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#define JOINED(name, suffix) name##suffix
#define WITH_SUFFIX(name, suffix) JOINED(name, suffix)
#define ROUTINE(name) WITH_SUFFIX(name, SUFFIX)

INTEGER ROUTINE(lsame)(const char *ca, const char *cb);
float ROUTINE(scabs1)(const float *z);
double ROUTINE(dcabs1)(const double *z);
void ROUTINE(xerbla_array)(const char *name, const INTEGER *length, const INTEGER *info);

/* Whether two letters are the same but for their case. */
INTEGER ROUTINE(lsame)(const char *ca, const char *cb)
{
    return tolower((unsigned char)*ca) == tolower((unsigned char)*cb);
}

/* |re| + |im| */
float ROUTINE(scabs1)(const float *z)
{
    return fabsf(z[0]) + fabsf(z[1]);
}

double ROUTINE(dcabs1)(const double *z)
{
    return fabs(z[0]) + fabs(z[1]);
}

/* Tells of a wrong argument. The reference's XERBLA ends the program; in an app that is not a library's to do. */
void ROUTINE(xerbla_array)(const char *name, const INTEGER *length, const INTEGER *info)
{
    int shown = *length < 0 ? 0 : *length > 32 ? 32 : (int)*length;

    fprintf(stderr, " ** On entry to %.*s parameter number %lld had an illegal value\n", shown, name, (long long)*info);
}
