#!/bin/sh
# xcrun for LLVM on Linux, written by forge: the one seam between Apple's build conventions and the tools of this machine.
#
# Understands what CPython's compiler wrappers, OpenSSL, CMake, Meson, Rust and setuptools ask of Apple's xcrun(1):
#   xcrun [--sdk NAME|PATH] TOOL ARGUMENTS...        run a tool for that SDK
#   xcrun [--sdk NAME|PATH] --find TOOL              the path of a tool
#   xcrun [--sdk NAME|PATH] --show-sdk-path | --show-sdk-version | --show-sdk-platform-path | --show-sdk-platform-version
#
# FORGE_PREFIX_MAP (old=new, several separated by ":", the longer path before its parent) becomes -ffile-prefix-map
# options, and a library gets no debug map, no search path of this machine, and an install name without a directory, so
# that a file does not depend on where it was compiled and linked.
#
# Plain POSIX sh on purpose: it runs once for each file that is compiled, and Python would cost ten times more.
set -eu

root='@ROOT@'
llvm='@LLVM@'
sdk_version='@SDK_VERSION@'
known_versions='@KNOWN_VERSIONS@'

fail() {
    printf 'xcrun: error: %s\n' "$1" >&2
    exit "${2:-72}" # 72 is what Apple's xcrun exits with when it cannot find something (EX_OSFILE)
}

sdk=${SDKROOT:-iphoneos}
action=run
while [ $# -gt 0 ]; do
    case $1 in
        --sdk | -sdk) [ $# -ge 2 ] || fail '--sdk needs a name' 64; sdk=$2; shift 2 ;;
        --sdk=*) sdk=${1#--sdk=}; shift ;;
        --find | -find | -f) action=find; shift ;;
        --run | -run | -r) action=run; shift ;;
        --show-sdk-path | -show-sdk-path) action=sdk_path; shift ;;
        --show-sdk-version | -show-sdk-version) action=sdk_version; shift ;;
        --show-sdk-platform-path | -show-sdk-platform-path) action=platform_path; shift ;;
        --show-sdk-platform-version | -show-sdk-platform-version) action=sdk_version; shift ;;
        --show-sdk-build-version | -show-sdk-build-version) action=sdk_version; shift ;;
        --toolchain | -toolchain) [ $# -ge 2 ] || fail '--toolchain needs a name' 64; shift 2 ;;
        --log | -log | -l | --verbose | -verbose | -v | --no-cache | -no-cache | -n | --kill-cache | -kill-cache | -k) shift ;;
        --version | -version) printf 'xcrun version forge\n'; exit 0 ;;
        --) shift; break ;;
        -*) fail "unknown option $1" 64 ;;
        *) break ;;
    esac
done

case $sdk in
    */iPhoneSimulator.sdk* | iphonesimulator*) platform=iPhoneSimulator; abi=iphonesimulator; environment=-simulator; runtime=iossim ;;
    */iPhoneOS.sdk* | iphoneos*) platform=iPhoneOS; abi=iphoneos; environment=; runtime=ios ;;
    *) fail "SDK '$sdk' cannot be located: there are iphoneos and iphonesimulator" ;;
esac
platform_path=$root/Platforms/$platform.platform
sdk_path=$platform_path/Developer/SDKs/$platform.sdk

case $action in
    sdk_path) printf '%s\n' "$sdk_path"; exit 0 ;;
    sdk_version) printf '%s\n' "$sdk_version"; exit 0 ;;
    platform_path) printf '%s\n' "$platform_path"; exit 0 ;;
esac

[ $# -ge 1 ] || fail 'no tool named' 64
tool=${1##*/}
shift
if [ "$action" = find ]; then
    [ -x "$root/tools/$abi/$tool" ] || fail "unable to find utility \"$tool\", not a developer tool or in PATH"
    printf '%s\n' "$root/tools/$abi/$tool"
    exit 0
fi

# The stubs of the newest iOS version that is not above $1: what links there exists on the minimum iOS version.
stubs_for() {
    major=${1%%.*}
    minor=${1#"$major"}
    minor=${minor#.}
    minor=${minor%%.*}
    wanted=$((major * 100 + ${minor:-0}))
    chosen=
    for version in $known_versions; do
        if [ $((${version%.*} * 100 + ${version#*.})) -le "$wanted" ]; then chosen=$version; fi
    done
    printf '%s/usr/lib/versions/%s\n' "$sdk_path" "${chosen:-12.0}"
}

# Where $1, a path from / on, is from the working directory.
from_here() {
    base=$(pwd -P)
    up=
    while [ "${1#"$base"/}" = "$1" ]; do
        base=${base%/*}
        up=../$up
    done
    relative=$up${1#"$base"/}
}

compile() {
    driver=$1
    shift
    target=
    arch=
    minimum=
    strict=
    output=a.out
    openmp=
    lto=
    rpaths=
    previous=
    for argument; do
        case $previous in
            -o) output=${argument##*/} ;;
            -target) target=$argument ;;
            -arch) arch=$argument ;;
            -isysroot)
                case $argument in
                    */iPhoneSimulator.sdk*) environment=-simulator ;;
                    */iPhoneOS.sdk*) environment= ;;
                esac ;;
        esac
        case $argument in
            --target=*) target=${argument#--target=} ;;
            -mios-version-min=* | -miphoneos-version-min=* | -mios-simulator-version-min=* | -miphonesimulator-version-min=*)
                minimum=${argument#*=} ;;
            -Wl,*,-no_weak_imports,* | -Wl,*,-no_weak_imports | -Wl,-no_weak_imports,* | -Wl,-no_weak_imports)
                strict=yes ;;
            -no_weak_imports) strict=yes ;; # after -Xlinker
            -Wl,-rpath,/*) rpaths=yes ;;
            -fopenmp | -fopenmp=*) openmp=yes ;;
            -flto | -flto=*) lto=yes ;;
            -fno-lto) lto= ;;
        esac
        previous=$argument
    done
    if [ -z "$target" ] && [ -n "$minimum" ]; then
        # CMake's way: a version option, which clang ignores beside a -target that names an OS version itself.
        set -- -target "${arch:-arm64}-apple-darwin" "$@"
    elif [ -z "$target" ]; then
        # Without -target Apple's clang takes architecture and minimum version from -arch and the environment.
        target=${arch:-arm64}-apple-ios${IPHONEOS_DEPLOYMENT_TARGET:-12.0}$environment
        set -- -target "$target" "$@"
    fi
    if [ -n "$strict" ]; then
        # ld64's -no_weak_imports, which lld lacks, refuses a symbol that is newer than the minimum version. Stubs that
        # do not list newer ones have the same effect, and a configure check for such a function fails as it must.
        # lld warns of the option, so it is taken out.
        for argument; do
            shift
            case $argument in
                -Wl,*)
                    options=${argument#-Wl},
                    while [ "$options" != "${options#*,-no_weak_imports,}" ]; do
                        options=${options%%,-no_weak_imports,*},${options#*,-no_weak_imports,}
                    done
                    options=${options%,}
                    [ -z "$options" ] || set -- "$@" "-Wl$options" ;;
                *) set -- "$@" "$argument" ;;
            esac
        done
        version=${target##*-apple-ios}
        version=${version%%-*}
        set -- "-L$(stubs_for "${version:-$minimum}")" "$@"
    fi
    if [ -n "${FORGE_PREFIX_MAP:-}" ]; then
        # What names a place goes before the linker sees it. Taken out of the finished file, it would still show: lld
        # makes the UUID over it, and everything behind the load commands moves with their length.
        if [ -n "$rpaths" ]; then
            for argument; do
                shift
                case $argument in
                    -Wl,-rpath,/usr/lib/* | -Wl,-rpath,/System/Library/* | -Wl,-rpath,/*,*) set -- "$@" "$argument" ;;
                    -Wl,-rpath,/*) ;;
                    *) set -- "$@" "$argument" ;;
                esac
            done
        fi
        if [ -n "$lto" ]; then
            # Bitcode has the source's name as it is given, whatever -ffile-prefix-map says, and ThinLTO renames functions
            # by a hash of the bitcode. CMake gives names from / on.
            for argument; do
                shift
                case $argument in
                    /*.c | /*.cc | /*.cpp | /*.cxx | /*.m | /*.mm | /*.C)
                        from_here "$argument"
                        argument=$relative ;;
                esac
                set -- "$@" "$argument"
            done
        fi
        rest=$FORGE_PREFIX_MAP:
        while [ -n "$rest" ]; do
            entry=${rest%%:*}
            rest=${rest#*:}
            set -- "-ffile-prefix-map=$entry" "$@"
        done
    fi
    # What is put in here must not make a check fail that runs with -Werror=unused-command-line-argument (Meson's do).
    # The C++ headers are named because clang would take those beside itself, whose configuration has the availability
    # annotations off. Room for longer names in the load commands is for tools that rewrite them (forge repair, app
    # builds); lld leaves 32 bytes. -S leaves out the debug map, -final_output is the install name if no other is given.
    # With -fopenmp clang looks for libraries beside itself, where the build machine's libc++ may be: the SDK goes first.
    exec "$llvm/$driver" --start-no-unused-arguments \
        ${FORGE_PREFIX_MAP:+-Wl,-S -Xlinker -final_output -Xlinker "@rpath/$output"} \
        -isysroot "$sdk_path" -resource-dir "$root/resource" \
        "--ld-path=$llvm/ld64.lld" -mlinker-version=1000 -Wl,-headerpad_max_install_names \
        -stdlib=libc++ -nostdinc++ -cxx-isystem "$sdk_path/usr/include/c++/v1" \
        --end-no-unused-arguments "$@" \
        ${openmp:+--start-no-unused-arguments "-L$sdk_path/usr/lib" --end-no-unused-arguments}
}

case $tool in
    clang | cc | gcc) compile clang "$@" ;;
    clang++ | c++ | g++) compile clang++ "$@" ;;
    cpp) compile clang -E "$@" ;;
    ld) exec "$llvm/ld64.lld" "$@" ;;
    ranlib)
        # Apple's ranlib has -c (index common symbols), which LLVM's always does and does not know.
        for argument; do
            shift
            [ "$argument" = -c ] || set -- "$@" "$argument"
        done
        exec "$llvm/llvm-ranlib" "$@" ;;
    ar | nm | strip | lipo | otool | size | strings | objdump | dwarfdump | bitcode_strip)
        exec "$llvm/llvm-$(printf '%s' "$tool" | tr _ -)" "$@" ;;
    libtool) exec "$llvm/llvm-libtool-darwin" "$@" ;;
    install_name_tool) exec "$llvm/llvm-install-name-tool" "$@" ;;
    dsymutil) exec "$llvm/dsymutil" "$@" ;;
    *) fail "unable to find utility \"$tool\", not a developer tool or in PATH" ;;
esac
