#pragma once

/// Eight lanes of a vector register.
typedef float saccader_floats __attribute__((ext_vector_type(8)));
typedef int saccader_integers __attribute__((ext_vector_type(8)));
typedef unsigned short saccader_halves __attribute__((ext_vector_type(8)));

/// Begins to bring the cache line at `place`, which need not be readable, into the caches.
static inline void saccader_prefetch(const void *place) { __builtin_prefetch(place, 0, 3); }

/// The same for a line that will be written.
static inline void saccader_prefetch_to_write(const void *place) {
    __builtin_prefetch(place, 1, 3);
}

/// Each lane, but at least 0; a NaN stays one.
static inline saccader_floats saccader_rectified(saccader_floats values) {
    return values < 0 ? 0 : values;
}

/// Each lane of `values` where that of `other` is positive or a NaN, else 0.
static inline saccader_floats saccader_kept(saccader_floats values, saccader_floats other) {
    return (saccader_floats)((saccader_integers)values & ~(saccader_integers)(other <= 0));
}

/// Whether the processor has `saccader_upper_halves`: AVX512-BF16.
static inline _Bool saccader_rounds_to_halves(void) {
#if defined(__AVX2__)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

/// The upper half of each lane, rounded to nearest even.
static inline saccader_halves saccader_upper_halves(saccader_floats values) {
    saccader_halves result = 0;
#if defined(__AVX2__)
    // As text: the kernels around it are compiled for processors that do not have it.
    __asm__("vcvtneps2bf16 %1, %0" : "=x"(result) : "x"(values));
#endif
    return result;
}
