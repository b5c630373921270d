"""What answers ``xcrun``: Xcode, or LLVM with an iOS SDK that forge assembles. And what a machine needs for it."""
