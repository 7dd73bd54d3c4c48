"""What every test relies on."""

import signal

# Tests that run in the background inherit an ignored SIGINT, and so would every program that they start; a terminal's
# programs do not, and it is a terminal's Ctrl-C that tests send.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
