"""forge: a package forge for iOS. Recipes in, correct iOS wheels out."""

__version__ = "0.1.0"
