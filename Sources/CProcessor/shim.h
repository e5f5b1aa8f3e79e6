#pragma once

/// Begins to bring the cache line at `place`, which need not be readable, into the caches.
static inline void saccader_prefetch(const void *place) { __builtin_prefetch(place, 0, 3); }
