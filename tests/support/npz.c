#include "npz.h"

#include <gio/gio.h>
#include <string.h>

struct Npz {
  GHashTable *arrays; /* name -> NpyArray */
};

static guint16
read_u16 (const guint8 *p)
{
  return p[0] | p[1] << 8;
}

static guint32
read_u32 (const guint8 *p)
{
  return read_u16 (p) | (guint32) read_u16 (p + 2) << 16;
}

static float
half_to_float (guint16 h)
{
  guint32 exponent = h >> 10 & 0x1f, fraction = h & 0x3ff;
  float value;
  guint32 bits;

  if (exponent == 0) {
    value = fraction / 16777216.f;
  } else {
    bits = (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    memcpy (&value, &bits, 4);
  }
  return h & 0x8000 ? -value : value;
}

void
npy_free (NpyArray *array)
{
  g_clear_pointer (&array->bytes, g_bytes_unref);
  g_free (array);
}

static void
parse_shape (NpyArray *array, const char *header, const char *label)
{
  const char *p = strstr (header, "'shape':");
  char *end;

  if (!p || !(p = strchr (p, '(')))
    g_error ("%s: no shape", label);
  array->n = 1;
  for (p++; *p && *p != ')'; p = end) {
    gsize extent = g_ascii_strtoull (p, &end, 10);

    if (end == p) {
      end++;
      continue;
    }
    g_assert_cmpint (array->n_dims, <, NPY_MAX_DIMS);
    array->shape[array->n_dims++] = extent;
    array->n *= extent;
  }
}

/* From the first index running fastest to the last one. */
static GBytes *
reorder (const NpyArray *array, GBytes *fortran)
{
  const guint8 *from = g_bytes_get_data (fortran, NULL);
  guint8 *to = g_malloc (array->n * array->item);

  for (gsize i = 0; i < array->n; i++) {
    gsize rest = i, source = 0;

    for (int d = array->n_dims - 1; d >= 0; d--) {
      gsize step = 1;

      for (int e = 0; e < d; e++)
        step *= array->shape[e];
      source += rest % array->shape[d] * step;
      rest /= array->shape[d];
    }
    memcpy (to + i * array->item, from + source * array->item, array->item);
  }
  return g_bytes_new_take (to, array->n * array->item);
}

static NpyArray *
parse_npy (GBytes *file, const char *label)
{
  gsize size, head, length;
  const guint8 *data = g_bytes_get_data (file, &size);
  g_autofree char *header = NULL;
  g_autoptr (GBytes) values = NULL;
  NpyArray *array = g_new0 (NpyArray, 1);
  const char *descr;

  if (size < 12 || memcmp (data, "\x93NUMPY", 6) != 0)
    g_error ("%s: not a .npy file", label);
  head = data[6] == 1 ? 10 : 12;
  length = data[6] == 1 ? read_u16 (data + 8) : read_u32 (data + 8);
  g_assert_cmpuint (head + length, <=, size);
  header = g_strndup ((const char *) data + head, length);

  descr = strstr (header, "'descr': '");
  if (!descr)
    g_error ("%s: unexpected header %s", label, header);
  descr += strlen ("'descr': '");
  if (!strchr ("<|", descr[0]) || !strchr ("fiub", descr[1]))
    g_error ("%s: unexpected type %.4s", label, descr);
  array->kind = descr[1];
  array->item = descr[2] - '0';
  parse_shape (array, header, label);
  if (size - head - length < array->n * array->item)
    g_error ("%s: cut short", label);
  values = g_bytes_new_from_bytes (file, head + length, array->n * array->item);
  array->bytes = strstr (header, "'fortran_order': True") ? reorder (array, values) : g_bytes_ref (values);
  return array;
}

static GBytes *
inflate (const guint8 *data, gsize packed, gsize unpacked, const char *label)
{
  g_autoptr (GConverter) zlib = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW));
  g_autoptr (GError) error = NULL;
  guint8 *out = g_malloc (unpacked + 1);
  gsize in_done = 0, out_done = 0;
  GConverterResult result = G_CONVERTER_CONVERTED;

  while (result != G_CONVERTER_FINISHED) {
    gsize in_now, out_now;

    result = g_converter_convert (zlib, data + in_done, packed - in_done,
                                  out + out_done, unpacked + 1 - out_done,
                                  G_CONVERTER_INPUT_AT_END, &in_now, &out_now, &error);
    if (result == G_CONVERTER_ERROR)
      g_error ("%s: %s", label, error->message);
    in_done += in_now;
    out_done += out_now;
  }
  g_assert_cmpuint (out_done, ==, unpacked);
  return g_bytes_new_take (out, unpacked);
}

static void
add_member (Npz *npz, const guint8 *file, gsize size, const guint8 *entry)
{
  guint16 method = read_u16 (entry + 10);
  guint32 packed = read_u32 (entry + 20), unpacked = read_u32 (entry + 24), local = read_u32 (entry + 42);
  g_autofree char *name = g_strndup ((const char *) entry + 46, read_u16 (entry + 28));
  g_autoptr (GBytes) bytes = NULL;
  gsize start;

  g_assert_cmpuint ((gsize) local + 30, <=, size);
  start = (gsize) local + 30 + read_u16 (file + local + 26) + read_u16 (file + local + 28);
  g_assert_cmpuint (start + packed, <=, size);
  if (method == 8)
    bytes = inflate (file + start, packed, unpacked, name);
  else if (method == 0)
    bytes = g_bytes_new (file + start, packed);
  else
    g_error ("%s: zip method %d", name, method);
  if (g_str_has_suffix (name, ".npy"))
    name[strlen (name) - 4] = 0;
  g_hash_table_insert (npz->arrays, g_strdup (name), parse_npy (bytes, name));
}

Npz *
npz_open (const char *path)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) error = NULL;
  Npz *npz = g_new0 (Npz, 1);
  const guint8 *file, *entry;
  gsize size, end;

  map = g_mapped_file_new (path, FALSE, &error);
  if (!map)
    g_error ("%s", error->message);
  file = (const guint8 *) g_mapped_file_get_contents (map);
  size = g_mapped_file_get_length (map);
  npz->arrays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) npy_free);

  g_assert_cmpuint (size, >=, 22);
  for (end = size - 22; read_u32 (file + end) != 0x06054b50; end--)
    g_assert_cmpuint (end, >, 0);
  entry = file + read_u32 (file + end + 16);
  for (int n = read_u16 (file + end + 10); n > 0; n--) {
    g_assert_cmphex (read_u32 (entry), ==, 0x02014b50);
    add_member (npz, file, size, entry);
    entry += 46 + read_u16 (entry + 28) + read_u16 (entry + 30) + read_u16 (entry + 32);
  }
  return npz;
}

void
npz_close (Npz *npz)
{
  g_hash_table_unref (npz->arrays);
  g_free (npz);
}

const NpyArray *
npz_find (Npz *npz, const char *name)
{
  return g_hash_table_lookup (npz->arrays, name);
}

const NpyArray *
npz_get (Npz *npz, const char *name)
{
  const NpyArray *array = npz_find (npz, name);

  if (!array)
    g_error ("no array %s", name);
  return array;
}

NpyArray *
npy_open (const char *path)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  char *data;
  gsize size;

  if (!g_file_get_contents (path, &data, &size, &error))
    g_error ("%s", error->message);
  bytes = g_bytes_new_take (data, size);
  return parse_npy (bytes, path);
}

static double
element (const NpyArray *array, gsize i)
{
  const guint8 *p = (const guint8 *) g_bytes_get_data (array->bytes, NULL) + i * array->item;
  guint64 bits = 0;

  memcpy (&bits, p, array->item);
  if (array->kind == 'f') {
    float single;
    double real;

    if (array->item == 2)
      return half_to_float ((guint16) bits);
    memcpy (&single, p, 4);
    memcpy (&real, &bits, 8);
    return array->item == 4 ? single : real;
  }
  if (array->kind == 'i' && array->item < 8 && bits >> (8 * array->item - 1))
    bits -= G_GUINT64_CONSTANT (1) << (8 * array->item);
  return array->kind == 'i' ? (double) (gint64) bits : (double) bits;
}

float *
npy_floats (const NpyArray *array)
{
  float *values = g_new (float, array->n);

  for (gsize i = 0; i < array->n; i++)
    values[i] = (float) element (array, i);
  return values;
}

gint32 *
npy_ints (const NpyArray *array)
{
  gint32 *values = g_new (gint32, array->n);

  for (gsize i = 0; i < array->n; i++)
    values[i] = (gint32) element (array, i);
  return values;
}
