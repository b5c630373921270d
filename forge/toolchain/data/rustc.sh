#!/bin/sh
# rustc for builds for iOS (cargo's RUSTC_WRAPPER), written by forge: crates compile to the same wherever they are.
#
# cargo tells crates of one name apart by -C metadata, which is in the names of all functions and decides their order.
# It makes it, among other things, of the absolute path of a crate outside of the workspace, and of the metadata of
# whatever a crate requires. Here it is made of what tells crates apart wherever they are: name, version, place under
# its name in FORGE_PREFIX_MAP (old=new, several separated by ":", the longer path before its parent), features, kind
# and target. Files keep the names that cargo gives them (-C extra-filename).
#
# Plain POSIX sh: it runs once for each crate.
set -euf

rustc=$1
shift

place=${CARGO_MANIFEST_DIR:-}
IFS=:
for pair in ${FORGE_PREFIX_MAP:-}; do
    old=${pair%%=*}
    case $place in
        "$old" | "$old"/*)
            place=${pair#*=}${place#"$old"}
            break ;;
    esac
done
unset IFS

crate="${CARGO_PKG_NAME:-} ${CARGO_PKG_VERSION:-} $place"
previous=
for argument; do
    case $previous in
        --cfg | --crate-type | --target) crate="$crate $argument" ;;
    esac
    previous=$argument
done

previous=
for argument; do
    shift
    case "$previous $argument" in
        '-C metadata='*) set -- "$@" "metadata=$crate" ;;
        # The standard library's crate alone is compiled to abort, as Rust's own build does it
        # (src/bootstrap/src/bin/rustc.rs): a crate with panic = "abort" takes no other.
        '--crate-name panic_abort') set -- "$@" panic_abort -Cpanic=abort ;;
        *) set -- "$@" "$argument" ;;
    esac
    previous=$argument
done
exec "$rustc" "$@"
