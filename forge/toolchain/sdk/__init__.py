"""Assembling an iOS SDK on Linux: headers, stub libraries (``.tbd``), settings, compiler runtime."""
