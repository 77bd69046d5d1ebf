"""The commands about models of this machine: what is ready, and fetching."""
