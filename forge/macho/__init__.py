"""What a Mach-O file says: CPU, platform, libraries, symbols. `forge.macho.reader.read_macho` reads one."""
