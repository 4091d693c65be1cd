"""The reference methods, one file each, written exactly as an outsider would write a plugin."""
