"""Fill the cache: find a source for each missing input, download it, or report every source that was asked."""
