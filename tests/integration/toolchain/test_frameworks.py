"""Objective-C that brings its own declarations links with the frameworks' stubs, and binds to the right libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.target import select_targets

if TYPE_CHECKING:
    from forge.base.target import Target
    from tests.integration.toolchain.conftest import Bench

pytestmark = pytest.mark.toolchain

every_target = pytest.mark.parametrize("target", select_targets(), ids=str)

OBJECTS = r"""
#import <objc/NSObject.h>
@class NSString;
@interface NSURL : NSObject
+ (instancetype)URLWithString:(NSString *)text;
@end
@interface Mine : NSURL
@end
@implementation Mine
@end
extern NSString *const NSCocoaErrorDomain;
void NSLog(NSString *format, ...);
void CFRelease(const void *);
int SecRandomCopyBytes(const void *, unsigned long, void *);
int main(void) {
    char bytes[8];
    id url = [Mine URLWithString:@"https://example.org/"];
    NSLog(@"%@ %@", url, NSCocoaErrorDomain);
    CFRelease((const void *)url);
    return SecRandomCopyBytes(0, sizeof bytes, bytes);
}
"""


@every_target
def test_objects_and_functions(bench: Bench, target: Target) -> None:
    flags = ("-fno-objc-arc", "-framework", "Foundation", "-framework", "Security", "-lobjc")
    made = bench.compile(OBJECTS, target, *flags, name="snippet.m").slice
    bound = {i.name: (i.library or "").rpartition("/")[2] for i in made.imports}
    assert bound["_SecRandomCopyBytes"] == "Security"
    assert bound["_NSLog"] == bound["_OBJC_METACLASS_$_NSURL"] == bound["_NSCocoaErrorDomain"] == "Foundation"
    # Foundation re-exports them; a binary names their own library.
    assert bound["_CFRelease"] == bound["___CFConstantStringClassReference"] == "CoreFoundation"
    assert bound["_objc_msgSend"] == "libobjc.A.dylib"


@every_target
@pytest.mark.parametrize(
    ("framework", "symbol"),
    [("Security", "SecKeychainCopyDefault"), ("SystemConfiguration", "SCDynamicStoreCreate"), ("UIKit", "NSBeep")],
)
def test_what_is_macos_own_does_not_link(bench: Bench, target: Target, framework: str, symbol: str) -> None:
    source = f"char {symbol}();\nint main(void) {{ return {symbol}(); }}"
    compiled = bench.compile(source, target, "-framework", framework)
    assert not compiled.ok
    assert f"undefined symbol: {symbol}" in compiled.output


@every_target
def test_frameworks_without_names_link(bench: Bench, target: Target) -> None:
    made = bench.compile("int main(void) { return 0; }", target, "-framework", "CryptoKit").slice
    assert "/System/Library/Frameworks/CryptoKit.framework/CryptoKit" in {d.name for d in made.dylibs}
