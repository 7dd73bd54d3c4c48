"""What this host knows of Debian: apt's configuration, mirrors, package lists, versions and dependencies."""
