#include <string.h>

#include "facet.h"
#include "gguf/gguf-parse.h"

#define MAX_KEY_BYTES    65535
#define MAX_NAME_BYTES   64
#define MAX_STRING_BYTES (16u << 20)
/* Far above any model; bounds the time that names with equal hashes can cost. */
#define MAX_ENTRIES      65536
/* The least a key-value pair and a tensor entry take in the file. */
#define MIN_KV_BYTES     (8 + 1 + 4 + 1)
#define MIN_TENSOR_BYTES (8 + 1 + 4 + 8 + 4 + 8)

typedef struct {
  FacetGguf *gguf;
  gsize      pos;
  gboolean   listing;
  GError   **error;
} Reader;

static gboolean G_GNUC_PRINTF (3, 4)
fail (Reader *reader, FacetErrorCode code, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (reader->error, FACET_ERROR, code, "%s: %s", reader->gguf->path, message);
  return FALSE;
}

static gsize
left (const Reader *reader)
{
  return reader->gguf->size - reader->pos;
}

static gboolean
take (Reader *reader, guint64 n, const char *field, const guint8 **bytes)
{
  if (n > left (reader))
    return fail (reader, n > reader->gguf->size ? FACET_ERROR_CORRUPT : FACET_ERROR_IO,
                 "%s: %" G_GUINT64_FORMAT " bytes at %" G_GSIZE_FORMAT
                 " reach past the end of the file (%" G_GSIZE_FORMAT " bytes)",
                 field, n, reader->pos, reader->gguf->size);
  *bytes = reader->gguf->data + reader->pos;
  reader->pos += n;
  return TRUE;
}

static gboolean
take_u32 (Reader *reader, const char *field, guint32 *value)
{
  const guint8 *bytes = NULL;

  if (!take (reader, sizeof *value, field, &bytes))
    return FALSE;
  memcpy (value, bytes, sizeof *value);
  return TRUE;
}

static gboolean
take_u64 (Reader *reader, const char *field, guint64 *value)
{
  const guint8 *bytes = NULL;

  if (!take (reader, sizeof *value, field, &bytes))
    return FALSE;
  memcpy (value, bytes, sizeof *value);
  return TRUE;
}

/* A key or tensor name: short, printable UTF-8, so that it can be shown. */
static gboolean
take_name (Reader *reader, const char *field, guint64 max, const char **name)
{
  const guint8 *bytes = NULL;
  guint64 n;

  if (!take_u64 (reader, field, &n))
    return FALSE;
  if (n == 0 || n > max)
    return fail (reader, FACET_ERROR_CORRUPT,
                 "%s: length %" G_GUINT64_FORMAT " is not within 1 .. %" G_GUINT64_FORMAT, field, n, max);
  if (!take (reader, n, field, &bytes))
    return FALSE;
  if (!g_utf8_validate ((const char *) bytes, n, NULL))
    return fail (reader, FACET_ERROR_CORRUPT, "%s: not valid UTF-8", field);
  for (guint64 i = 0; i < n; i++)
    if (bytes[i] < 0x20 || bytes[i] == 0x7f)
      return fail (reader, FACET_ERROR_CORRUPT, "%s: control character 0x%02x", field, bytes[i]);
  *name = g_string_chunk_insert_len (reader->gguf->strings, (const char *) bytes, n);
  return TRUE;
}

static gboolean
take_string (Reader *reader, GgufKv *kv)
{
  if (!take_u64 (reader, kv->key, &kv->n) || !take (reader, kv->n, kv->key, &kv->value))
    return FALSE;
  if (kv->n > MAX_STRING_BYTES)
    return fail (reader, FACET_ERROR_CORRUPT, "%s: string of %" G_GUINT64_FORMAT " bytes is longer than %u",
                 kv->key, kv->n, MAX_STRING_BYTES);
  kv->string = g_string_chunk_insert_len (reader->gguf->strings, (const char *) kv->value, kv->n);
  return TRUE;
}

static gboolean
skip_strings (Reader *reader, const GgufKv *kv)
{
  const guint8 *bytes = NULL;
  guint64 length;

  for (guint64 i = 0; i < kv->n; i++)
    if (!take_u64 (reader, kv->key, &length) || !take (reader, length, kv->key, &bytes))
      return FALSE;
  return TRUE;
}

static gboolean
take_array (Reader *reader, GgufKv *kv)
{
  guint32 element;
  gsize each;

  if (!take_u32 (reader, kv->key, &element) || !take_u64 (reader, kv->key, &kv->n))
    return FALSE;
  if (element >= GGUF_N_TYPES)
    return fail (reader, FACET_ERROR_CORRUPT, "%s: unknown element type %u", kv->key, element);
  if (element == GGUF_ARRAY)
    return fail (reader, FACET_ERROR_UNSUPPORTED, "%s: an array of arrays", kv->key);
  kv->element = element;
  each = element == GGUF_STRING ? 8 : gguf_type_bytes (element);
  if (kv->n > left (reader) / each)
    return fail (reader, kv->n > reader->gguf->size / each ? FACET_ERROR_CORRUPT : FACET_ERROR_IO,
                 "%s: array of %" G_GUINT64_FORMAT " elements, but only %" G_GSIZE_FORMAT " bytes follow",
                 kv->key, kv->n, left (reader));
  kv->value = reader->gguf->data + reader->pos;
  if (element == GGUF_STRING)
    return skip_strings (reader, kv);
  reader->pos += kv->n * each;
  return TRUE;
}

static gboolean
take_kv (Reader *reader, guint64 index)
{
  GHashTable *by_key = reader->gguf->by_key;
  g_autofree char *field = g_strdup_printf ("metadata key %" G_GUINT64_FORMAT, index);
  GgufKv kv = { NULL };
  guint32 type;

  if (!take_name (reader, field, MAX_KEY_BYTES, &kv.key) || !take_u32 (reader, kv.key, &type))
    return FALSE;
  if (type >= GGUF_N_TYPES)
    return fail (reader, FACET_ERROR_CORRUPT, "%s: unknown value type %u", kv.key, type);
  kv.type = type;
  if (type == GGUF_ARRAY) {
    if (!take_array (reader, &kv))
      return FALSE;
  } else if (type == GGUF_STRING) {
    if (!take_string (reader, &kv))
      return FALSE;
  } else {
    if (!take (reader, gguf_type_bytes (type), kv.key, &kv.value))
      return FALSE;
    if (type == GGUF_BOOL && *kv.value > 1)
      return fail (reader, FACET_ERROR_CORRUPT, "%s: truth value %u", kv.key, *kv.value);
  }
  g_array_append_val (reader->gguf->kvs, kv);
  if (!g_hash_table_insert (by_key, (gpointer) kv.key, GSIZE_TO_POINTER (reader->gguf->kvs->len)))
    return fail (reader, FACET_ERROR_CORRUPT, "%s: the key is there twice", kv.key);
  return TRUE;
}

static gboolean
take_shape (Reader *reader, FacetTensor *tensor, gint64 *elements)
{
  guint32 n_dims;

  if (!take_u32 (reader, tensor->name, &n_dims))
    return FALSE;
  if (n_dims < 1 || n_dims > FACET_MAX_DIMS)
    return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: %u dimensions, not 1 .. %d",
                 tensor->name, n_dims, FACET_MAX_DIMS);
  *elements = 1;
  for (guint32 i = 0; i < FACET_MAX_DIMS; i++) {
    guint64 ne = 1;

    if (i < n_dims && !take_u64 (reader, tensor->name, &ne))
      return FALSE;
    if (ne == 0 || ne > G_MAXINT64)
      return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: dimension %u is %" G_GUINT64_FORMAT,
                   tensor->name, i, ne);
    if (__builtin_mul_overflow (*elements, (gint64) ne, elements))
      return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: dimension %u, %" G_GUINT64_FORMAT
                   ", makes the number of elements overflow", tensor->name, i, ne);
    tensor->ne[i] = (gint64) ne;
  }
  return TRUE;
}

static gboolean
check_type (Reader *reader, FacetTensor *tensor, gint64 elements)
{
  const FacetDtypeInfo *info = facet_dtype_info (tensor->dtype);

  if (info->name == NULL)
    return reader->listing
           || fail (reader, FACET_ERROR_UNSUPPORTED, "tensor %s: type %s (%u) is not supported",
                    tensor->name, facet_dtype_name (tensor->dtype), tensor->dtype);
  if (tensor->ne[0] % info->block != 0)
    return fail (reader, FACET_ERROR_CORRUPT,
                 "tensor %s: rows of %" G_GINT64_FORMAT " elements are no multiple of the %u of a %s block",
                 tensor->name, tensor->ne[0], info->block, info->name);
  if (!g_size_checked_mul (&tensor->bytes, (gsize) elements / info->block, info->bytes))
    return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: %" G_GINT64_FORMAT " elements overflow the size in bytes",
                 tensor->name, elements);
  return TRUE;
}

/* The offset is kept in data until the start of the data is known. */
static gboolean
take_tensor (Reader *reader, guint64 index)
{
  GHashTable *by_name = reader->gguf->by_name;
  g_autofree char *field = g_strdup_printf ("tensor name %" G_GUINT64_FORMAT, index);
  FacetTensor tensor = { NULL };
  gint64 elements = 0;
  guint32 type;
  guint64 offset;

  if (!take_name (reader, field, MAX_NAME_BYTES, &tensor.name)
      || !take_shape (reader, &tensor, &elements)
      || !take_u32 (reader, tensor.name, &type)
      || !take_u64 (reader, tensor.name, &offset))
    return FALSE;
  tensor.dtype = type;
  if (!check_type (reader, &tensor, elements))
    return FALSE;
  if (offset % reader->gguf->alignment != 0)
    return fail (reader, FACET_ERROR_CORRUPT,
                 "tensor %s: offset %" G_GUINT64_FORMAT " is no multiple of the alignment %" G_GSIZE_FORMAT,
                 tensor.name, offset, reader->gguf->alignment);
  if (offset > reader->gguf->size)
    return fail (reader, FACET_ERROR_IO,
                 "tensor %s: offset %" G_GUINT64_FORMAT " lies past the end of the file (%" G_GSIZE_FORMAT " bytes)",
                 tensor.name, offset, reader->gguf->size);
  tensor.data = GSIZE_TO_POINTER ((gsize) offset);
  g_array_append_val (reader->gguf->tensors, tensor);
  if (!g_hash_table_insert (by_name, (gpointer) tensor.name, GSIZE_TO_POINTER (reader->gguf->tensors->len)))
    return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: the name is there twice", tensor.name);
  return TRUE;
}

static int
by_address (gconstpointer a, gconstpointer b)
{
  const FacetTensor *left_one = *(const FacetTensor *const *) a;
  const FacetTensor *right_one = *(const FacetTensor *const *) b;

  return (left_one->data > right_one->data) - (left_one->data < right_one->data);
}

static gboolean
check_overlap (Reader *reader)
{
  GArray *tensors = reader->gguf->tensors;
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  const FacetTensor *before = NULL;

  for (guint i = 0; i < tensors->len; i++)
    if (g_array_index (tensors, FacetTensor, i).data != NULL)
      g_ptr_array_add (sorted, &g_array_index (tensors, FacetTensor, i));
  g_ptr_array_sort (sorted, by_address);
  for (guint i = 0; i < sorted->len; i++) {
    const FacetTensor *tensor = sorted->pdata[i];

    if (before != NULL && (const guint8 *) before->data + before->bytes > (const guint8 *) tensor->data)
      return fail (reader, FACET_ERROR_CORRUPT, "tensor %s: its data overlap those of %s",
                   tensor->name, before->name);
    before = tensor;
  }
  return TRUE;
}

static gboolean
place_tensors (Reader *reader)
{
  FacetGguf *gguf = reader->gguf;
  gsize padding = (gguf->alignment - reader->pos % gguf->alignment) % gguf->alignment;
  gsize start, room;

  if (gguf->tensors->len == 0)
    return TRUE;
  if (padding > left (reader))
    return fail (reader, FACET_ERROR_IO, "tensor data: the file ends at %" G_GSIZE_FORMAT ", before they begin",
                 gguf->size);
  start = reader->pos + padding;
  room = gguf->size - start;
  for (guint i = 0; i < gguf->tensors->len; i++) {
    FacetTensor *tensor = &g_array_index (gguf->tensors, FacetTensor, i);
    gsize offset = GPOINTER_TO_SIZE (tensor->data);

    if (offset > room || tensor->bytes > room - offset)
      return fail (reader, FACET_ERROR_IO,
                   "tensor %s: %" G_GSIZE_FORMAT " bytes at offset %" G_GSIZE_FORMAT
                   " reach past the end of the file (%" G_GSIZE_FORMAT " bytes of tensor data)",
                   tensor->name, tensor->bytes, offset, room);
    tensor->data = tensor->bytes == 0 ? NULL : gguf->data + start + offset;
    tensor->mapped = gguf->map != NULL;
  }
  return check_overlap (reader);
}

static gboolean
starts_with (Reader *reader, const char *text)
{
  gsize n = strlen (text);

  return reader->gguf->size >= n && g_ascii_strncasecmp ((const char *) reader->gguf->data, text, n) == 0;
}

/* People's downloads go wrong in a few well-known ways; say which. */
static gboolean
fail_magic (Reader *reader)
{
  static const struct { const char *start, *what; } known[] = {
    { "<!doctype", "an HTML page (a download that went wrong)" },
    { "<html", "an HTML page (a download that went wrong)" },
    { "version https://git-lfs", "a Git LFS pointer (the file itself was not fetched)" },
    { "PK\3\4", "a ZIP or PyTorch file" },
    { "tjgg", "a GGML file from before GGUF" },
    { "lmgg", "a GGML file from before GGUF" },
  };
  const guint8 *data = reader->gguf->data;

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (starts_with (reader, known[i].start))
      return fail (reader, FACET_ERROR_NOT_A_MODEL, "not a GGUF file but %s", known[i].what);
  if (reader->gguf->size < 4)
    return fail (reader, FACET_ERROR_NOT_A_MODEL, "not a GGUF file: only %" G_GSIZE_FORMAT " bytes",
                 reader->gguf->size);
  return fail (reader, FACET_ERROR_NOT_A_MODEL, "not a GGUF file: magic %02x %02x %02x %02x",
               data[0], data[1], data[2], data[3]);
}

static gboolean
take_header (Reader *reader, guint64 *n_tensors, guint64 *n_kvs)
{
  FacetGguf *gguf = reader->gguf;

  if (gguf->size == 0)
    return fail (reader, FACET_ERROR_NOT_A_MODEL, "the file is empty");
  if (gguf->size < 4 || memcmp (gguf->data, "GGUF", 4) != 0)
    return fail_magic (reader);
  reader->pos = 4;
  if (!take_u32 (reader, "version", &gguf->version))
    return FALSE;
  if (gguf->version != 0 && (gguf->version & 0xffff) == 0)
    return fail (reader, FACET_ERROR_UNSUPPORTED, "version: a big-endian file (0x%08x)", gguf->version);
  if (gguf->version != 2 && gguf->version != 3)
    return fail (reader, FACET_ERROR_UNSUPPORTED, "version: %u, but 2 and 3 are supported", gguf->version);
  if (!take_u64 (reader, "number of tensors", n_tensors) || !take_u64 (reader, "number of keys", n_kvs))
    return FALSE;
  if (*n_kvs > MIN (MAX_ENTRIES, left (reader) / MIN_KV_BYTES))
    return fail (reader, FACET_ERROR_CORRUPT, "number of keys: %" G_GUINT64_FORMAT
                 " cannot be in a file of %" G_GSIZE_FORMAT " bytes", *n_kvs, gguf->size);
  if (*n_tensors > MIN (MAX_ENTRIES, left (reader) / MIN_TENSOR_BYTES))
    return fail (reader, FACET_ERROR_CORRUPT, "number of tensors: %" G_GUINT64_FORMAT
                 " cannot be in a file of %" G_GSIZE_FORMAT " bytes", *n_tensors, gguf->size);
  return TRUE;
}

static gboolean
check_metadata (Reader *reader)
{
  FacetGguf *gguf = reader->gguf;
  guint32 alignment = 32;

  if (facet_gguf_has_key (gguf, "general.alignment") && !facet_gguf_get_u32 (gguf, "general.alignment", &alignment))
    return fail (reader, FACET_ERROR_CORRUPT, "general.alignment: not a number");
  if (alignment < 8 || (alignment & (alignment - 1)) != 0)
    return fail (reader, FACET_ERROR_CORRUPT, "general.alignment: %u is no power of two from 8 on", alignment);
  gguf->alignment = alignment;
  return TRUE;
}

gboolean
gguf_parse (FacetGguf *gguf, gboolean listing, GError **error)
{
  Reader reader = { gguf, 0, listing, error };
  guint64 n_tensors = 0, n_kvs = 0;

  if (!take_header (&reader, &n_tensors, &n_kvs))
    return FALSE;
  for (guint64 i = 0; i < n_kvs; i++)
    if (!take_kv (&reader, i))
      return FALSE;
  if (!check_metadata (&reader))
    return FALSE;
  for (guint64 i = 0; i < n_tensors; i++)
    if (!take_tensor (&reader, i))
      return FALSE;
  return place_tensors (&reader);
}
