# Links the archives in $HOST_PREFIX/lib into one library that exports scipy_dgemm_ for dgemm_, and so on.
# $1: the library to make. Run with sh -e.

output=$1
lib=$HOST_PREFIX/lib

# What BLAS, CBLAS and LAPACK are called by, and OpenBLAS's own functions.
xcrun --sdk "$ABI" nm --defined-only --extern-only --format=just-symbols "$lib/libopenblas.a" "$lib/liblapack.a" |
    grep -E '^_([a-z][a-z0-9_]*_|cblas_[a-z0-9_]+|openblas_[a-z_]+)$' | sort -u >names.txt

# A name of its own for each, which jumps there: an alias would be hidden, as what it stands for is.
case $ARCH in
    arm64) jump=b ;;
    *) jump=jmp ;;
esac
{
    echo '.text'
    while read -r name; do
        printf '.globl _scipy%s\n.p2align 2\n_scipy%s: %s %s\n' "$name" "$name" "$jump" "$name"
    done <names.txt
    echo '.subsections_via_symbols'
} >names.s
$CC -c names.s -o names.o

# Without -dead_strip: OpenBLAS's assembly has labels that nothing names, since the code before them runs on into them.
$CC -dynamiclib -o "$output" -Wl,-install_name,"@rpath/${output##*/}" -Wl,-exported_symbol,'_scipy_*' \
    names.o "$lib/libopenblas.a" "$lib/liblapack.a" "$lib/libFortranRuntime.a"

xcrun --sdk "$ABI" nm --defined-only --extern-only --format=just-symbols "$output" | sed 's/^_scipy//' | sort -u |
    comm -3 names.txt - >different.txt
if [ -s different.txt ]; then
    echo 'the library does not export these names, or these alone:' >&2
    cat different.txt >&2
    exit 1
fi
