"""From torch to policy files."""
