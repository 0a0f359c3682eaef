"""The command `chef-data`: look after episode files."""
