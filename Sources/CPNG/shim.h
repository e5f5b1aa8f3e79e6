#pragma once

#include <png.h>

/* Macros that Swift cannot import. */
static inline png_uint_32 png_rgba_format(void) { return PNG_FORMAT_RGBA; }
static inline png_uint_32 png_alpha_flag(void) { return PNG_FORMAT_FLAG_ALPHA; }
static inline png_uint_32 png_16bit_srgb_flag(void) { return PNG_IMAGE_FLAG_16BIT_sRGB; }
static inline png_uint_32 png_simplified_version(void) { return PNG_IMAGE_VERSION; }
static inline png_uint_32 png_rgb_format(void) { return PNG_FORMAT_RGB; }
static inline png_uint_32 png_fast_flag(void) { return PNG_IMAGE_FLAG_FAST; }
static inline png_alloc_size_t png_most_bytes(png_image image) { return PNG_IMAGE_PNG_SIZE_MAX(image); }
