// Writes a JPEG with any sampling: make_sampled SPACE WIDTH HEIGHT H1xV1,H2xV2,… < pixels > file
// SPACE: ycc (from RGB) or cmyk. Build: cc make_sampled.c -ljpeg -o make_sampled
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>

int main(int count, char **words) {
    if (count != 5) return 64;
    int ink = strcmp(words[1], "cmyk") == 0, channels = ink ? 4 : 3;
    struct jpeg_compress_struct file;
    struct jpeg_error_mgr errors;
    file.err = jpeg_std_error(&errors);
    jpeg_create_compress(&file);
    jpeg_stdio_dest(&file, stdout);
    file.image_width = atoi(words[2]);
    file.image_height = atoi(words[3]);
    file.input_components = channels;
    file.in_color_space = ink ? JCS_CMYK : JCS_RGB;
    jpeg_set_defaults(&file);
    jpeg_set_quality(&file, 85, TRUE);
    const char *rest = words[4];
    for (int i = 0; i < channels; i++) {
        if (sscanf(rest, "%dx%d", &file.comp_info[i].h_samp_factor, &file.comp_info[i].v_samp_factor) != 2)
            return 64;
        rest = strchr(rest, ',') ? strchr(rest, ',') + 1 : rest;
    }
    jpeg_start_compress(&file, TRUE);
    unsigned char *row = malloc(file.image_width * channels);
    while (file.next_scanline < file.image_height) {
        if (fread(row, channels, file.image_width, stdin) != file.image_width) return 65;
        jpeg_write_scanlines(&file, &row, 1);
    }
    jpeg_finish_compress(&file);
    return 0;
}
