# routines.txt to a text-based stub (LLVM's TextStub.cpp, tapi-tbd v4), for one target: awk -v target=arm64-ios -f stub.awk
#
# What -framework Accelerate records in a program is the umbrella's install name, of version 4.0.0, compatible from 1.0.0;
# dyld finds the routines in the libraries that the umbrella exports again (vecLib's libBLAS and libLAPACK).

BEGIN {
    print "--- !tapi-tbd"
    print "tbd-version: 4"
    printf "targets: [ %s ]\n", target
    print "install-name: \"/System/Library/Frameworks/Accelerate.framework/Accelerate\""
    print "current-version: 4"
    print "compatibility-version: 1"
    print "exports:"
    printf "  - targets: [ %s ]\n", target
    printf "    symbols: [ "
}

/^#/ { next }

{
    for (i = 1; i <= NF; i++) {
        printf "%s\"_%s$NEWLAPACK\",\n      \"_%s$NEWLAPACK$ILP64\"", count ? ",\n      " : "", $i, $i
        count++
    }
}

END {
    print " ]"
    print "..."
    if (!count) exit 1
}
