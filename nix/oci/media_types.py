"""The media types of OCI and Docker, the OCI one of each kind first. Lambda accepts both, and no index."""

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"
# The config of an artifact that is no image, and its only value.
EMPTY, EMPTY_DATA = "application/vnd.oci.empty.v1+json", b"{}"

MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
CONFIGS = (CONFIG, "application/vnd.docker.container.image.v1+json")
GZIP_LAYERS = (LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip")
