"""The text form of a site control file, sitectrl.ct0: what is known of it is read and written, all else stays."""
