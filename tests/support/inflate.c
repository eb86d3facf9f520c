#include "inflate.h"

#include <gio/gio.h>

char *
inflate_to_temporary (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) from = g_file_new_for_path (path);
  g_autoptr (GFileIOStream) stream = NULL;
  g_autoptr (GFile) to = g_file_new_tmp ("facet-test-XXXXXX", &stream, &error);
  g_autoptr (GConverter) inflate = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GFileInputStream) packed = NULL;
  g_autoptr (GInputStream) plain = NULL;

  g_assert_no_error (error);
  packed = g_file_read (from, NULL, &error);
  g_assert_no_error (error);
  plain = g_converter_input_stream_new (G_INPUT_STREAM (packed), inflate);
  g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (stream)), plain,
                          G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  return g_file_get_path (to);
}
