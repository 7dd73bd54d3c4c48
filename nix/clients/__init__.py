"""What other machines are asked with: HTTP, pip and uv, in subprocesses and with a progress bar."""
