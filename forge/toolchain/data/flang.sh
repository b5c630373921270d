#!/bin/sh
# A Fortran compiler for iOS, written by forge: compiles with LLVM's flang, links with clang, which knows the SDK.
#
# FORGE_PREFIX_MAP (old=new, several separated by ":", the longer path before its parent) holds for the names of source
# files, which flang puts into every object that does input or output.
#
# Plain POSIX sh for the same reason as xcrun: it runs once for each file.
set -eu

flang='@FLANG@'
triple='@TRIPLE@'
lib='@LIB@'
target=@ARCH@-apple-ios${IPHONEOS_DEPLOYMENT_TARGET:-12.0}@SIMULATOR@

action=link
output=
source=
previous=
for argument; do
    case $previous in
        -o) output=$argument ;;
    esac
    case $argument in
        -c) action=object ;;
        -S | -E | -fsyntax-only | -emit-llvm | --version | -v | --help | -print-* | -dumpversion | -dumpmachine | '-###')
            [ "$argument" = -v ] && [ $# -gt 1 ] || action=plain ;;
        -*) ;;
        *.[fF] | *.[fF]90 | *.[fF]95 | *.[fF]03 | *.[fF]08 | *.for | *.FOR) source=$argument ;;
    esac
    previous=$argument
done

case $action in
    plain) exec "$flang" -target "$target" "$@" ;;
    object)
        "$flang" -target "$target" -fPIC "$@"
        if [ -z "$output" ]; then
            output=${source##*/}
            output=${output%.*}.o
        fi
        # flang passes the name of the source file to the runtime's input and output, and has no option for another one.
        # Few files have it in them: these are made again from LLVM's text with the name mapped, and with a symbol for
        # it that is not made of the name.
        leaks=
        rest=${FORGE_PREFIX_MAP:-}
        while [ -n "$rest" ]; do
            if grep -qF "${rest%%=*}/" "$output"; then leaks=yes; fi
            case $rest in
                *:*) rest=${rest#*:} ;;
                *) rest= ;;
            esac
        done
        [ -n "$leaks" ] || exit 0
        text=$output.forge.ll
        trap 'rm -f "$text" "$text.mapped"' EXIT
        previous=
        for argument; do
            shift
            case $previous in
                -o) argument=$text ;;
                -MF | -MQ | -MT) previous=; continue ;;
            esac
            case $argument in
                -c | -g | -g[0-9] | -ggdb*) previous=; continue ;;
            esac
            set -- "$@" "$argument"
            previous=$argument
        done
        case " $* " in
            *" -o "*) ;;
            *) set -- "$@" -o "$text" ;;
        esac
        "$flang" -target "$target" -fPIC -S -emit-llvm "$@"
        awk -v map="$FORGE_PREFIX_MAP" '
            BEGIN { entries = split(map, pairs, ":") }
            /^@_QQcl[^ ]* = / && match($0, /c"\/[^"\\]*\\00"/) {
                name = substr($0, RSTART + 2, RLENGTH - 6)
                tail = substr($0, RSTART + RLENGTH)
                head = $1
                for (i = 1; i <= entries; i++) {
                    at = index(pairs[i], "=")
                    from = substr(pairs[i], 1, at - 1)
                    if (substr(name, 1, length(from) + 1) == from "/") {
                        name = substr(pairs[i], at + 1) substr(name, length(from) + 1)
                        break
                    }
                }
                new[head] = "@_QQforge" ++count
                printf "%s = private constant [%d x i8] c\"%s\\00\"%s\n", new[head], length(name) + 1, name, tail
                next
            }
            {
                done = ""
                while (match($0, /@_QQcl[0-9A-Za-z_.]+/)) {
                    name = substr($0, RSTART, RLENGTH)
                    done = done substr($0, 1, RSTART - 1) (name in new ? new[name] : name)
                    $0 = substr($0, RSTART + RLENGTH)
                }
                print done $0
            }' "$text" >"$text.mapped"
        "$triple-clang" -c -O2 -w -x ir "$text.mapped" -o "$output"
        exit 0 ;;
esac

# Linking: sources are compiled first, and what only means something to Fortran is left out.
temporary=
trap '[ -z "$temporary" ] || rm -rf "$temporary"' EXIT
options=
for argument; do
    case $argument in
        -O* | -I* | -D* | -J* | -f*) options="$options $argument" ;;
    esac
done
skip=
for argument; do
    shift
    if [ -n "$skip" ]; then skip=; continue; fi
    case $argument in
        -module-dir | -J | -fintrinsic-modules-path) skip=yes; continue ;;
        -J* | -ffixed-form | -ffree-form | -fdefault-* | -fimplicit-none | -ffixed-line-length*) continue ;;
        *.[fF] | *.[fF]90 | *.[fF]95 | *.[fF]03 | *.[fF]08 | *.for | *.FOR)
            [ -n "$temporary" ] || temporary=$(mktemp -d)
            object=$temporary/$(basename "$argument").o
            # shellcheck disable=SC2086 # options without white space, parted by it
            "$0" -c $options "$argument" -o "$object"
            argument=$object ;;
    esac
    set -- "$@" "$argument"
done
"$triple-clang" "$@" "$lib/libFortranRuntime.a"
