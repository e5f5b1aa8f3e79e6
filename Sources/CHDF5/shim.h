#pragma once

#include <hdf5.h>

// Macros that Swift does not import, by function.
static inline hid_t saccader_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t saccader_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t saccader_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t saccader_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t saccader_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t saccader_c_string(void) { return H5T_C_S1; }
static inline size_t saccader_variable(void) { return H5T_VARIABLE; }
static inline hid_t saccader_default(void) { return H5P_DEFAULT; }
static inline hid_t saccader_whole(void) { return H5S_ALL; }
static inline hid_t saccader_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t saccader_link_creation(void) { return H5P_LINK_CREATE; }
static inline unsigned saccader_truncate(void) { return H5F_ACC_TRUNC; }
static inline unsigned saccader_read_only(void) { return H5F_ACC_RDONLY; }
static inline hid_t saccader_default_errors(void) { return H5E_DEFAULT; }
static inline void saccader_silence_errors(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
