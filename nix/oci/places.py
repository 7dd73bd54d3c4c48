"""Where things lie in the image; paths relative to its root, without a leading slash."""

PYTHON = "usr/bin/python3.11"
SITE = "usr/local/lib/python3.11/dist-packages"
TASK = "var/task"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# Where OpenSSL of this root looks when nothing in the environment names a bundle.
OPENSSL_BUNDLE = "usr/lib/ssl/cert.pem"
