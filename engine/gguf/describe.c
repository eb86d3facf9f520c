#include <math.h>
#include <string.h>

#include "facet.h"
#include "gguf/gguf-private.h"

#define TEXT_ELEMENTS 6
#define TEXT_CHARS    160
#define JSON_ELEMENTS 64

static const char *const type_names[GGUF_N_TYPES] = {
  "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64",
};

/* Control characters and those that turn the writing direction must not
 * reach a terminal from a file. */
static gboolean
is_unsafe (gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* As a JSON string; @max characters, then an ellipsis (0: all). */
static void
append_quoted (GString *out, const char *bytes, gsize length, gsize max)
{
  g_autofree char *text = g_utf8_make_valid (bytes, length);
  gsize n = 0;

  g_string_append_c (out, '"');
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at), n++) {
    gunichar c = g_utf8_get_char (at);

    if (max > 0 && n == max) {
      g_string_append (out, "…");
      break;
    }
    if (c == '"' || c == '\\')
      g_string_append_printf (out, "\\%c", c);
    else if (c == '\n')
      g_string_append (out, "\\n");
    else if (c == '\t')
      g_string_append (out, "\\t");
    else if (is_unsafe (c))
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_unichar (out, c);
  }
  g_string_append_c (out, '"');
}

static void
append_number (GString *out, const GgufKv *kv, GgufType type, gsize index)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  double real;
  gint64 whole;
  guint64 bits;

  if (type == GGUF_F32 || type == GGUF_F64) {
    gguf_read_f64 (kv, index, &real);
    g_string_append (out, isfinite (real) ? g_ascii_formatd (buffer, sizeof buffer, type == GGUF_F32 ? "%.9g" : "%.17g", real)
                                          : "null");
  } else if (type == GGUF_U64) {
    memcpy (&bits, kv->value + index * sizeof bits, sizeof bits);
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, bits);
  } else {
    gguf_read_i64 (kv, index, &whole);
    if (type == GGUF_BOOL)
      g_string_append (out, whole ? "true" : "false");
    else
      g_string_append_printf (out, "%" G_GINT64_FORMAT, whole);
  }
}

typedef struct {
  GString *out;
  gsize    max;
  gsize    max_chars;
} StringList;

static gboolean
append_element (gsize index, const char *bytes, gsize length, gpointer user_data)
{
  StringList *list = user_data;

  if (index == list->max)
    return FALSE;
  if (index > 0)
    g_string_append (list->out, ", ");
  append_quoted (list->out, bytes, length, list->max_chars);
  return TRUE;
}

static void
append_elements (GString *out, FacetGguf *gguf, const GgufKv *kv, gsize max, gsize max_chars)
{
  StringList list = { out, max, max_chars };

  g_string_append_c (out, '[');
  if (kv->element == GGUF_STRING)
    facet_gguf_array_strings (gguf, kv->key, append_element, &list);
  else
    for (gsize i = 0; i < MIN (kv->n, max); i++) {
      if (i > 0)
        g_string_append (out, ", ");
      append_number (out, kv, kv->element, i);
    }
  if (max_chars > 0 && kv->n > max)
    g_string_append (out, ", …");
  g_string_append_c (out, ']');
}

static void
append_text_kv (GString *out, FacetGguf *gguf, const GgufKv *kv)
{
  g_string_append_printf (out, "  %s = ", kv->key);
  if (kv->type == GGUF_STRING)
    append_quoted (out, (const char *) kv->value, kv->n, TEXT_CHARS);
  else if (kv->type == GGUF_ARRAY) {
    g_string_append_printf (out, "%s[%" G_GUINT64_FORMAT "] ", type_names[kv->element], kv->n);
    append_elements (out, gguf, kv, TEXT_ELEMENTS, TEXT_CHARS);
  } else
    append_number (out, kv, kv->type, 0);
  g_string_append_c (out, '\n');
}

static void
append_shape (GString *out, const FacetTensor *tensor)
{
  int n = FACET_MAX_DIMS;

  while (n > 1 && tensor->ne[n - 1] == 1)
    n--;
  for (int i = 0; i < n; i++)
    g_string_append_printf (out, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "[", tensor->ne[i]);
  g_string_append_c (out, ']');
}

static void
append_path (GString *out, const char *path)
{
  for (const char *at = path; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    g_string_append_unichar (out, is_unsafe (c) ? 0xfffd : c);
  }
}

static char *
describe_text (FacetGguf *gguf)
{
  GString *out = g_string_new (NULL);

  append_path (out, gguf->path);
  g_string_append_printf (out, ": GGUF version %u, %" G_GUINT64_FORMAT " bytes", gguf->version, facet_gguf_size (gguf));
  if (gguf->n_parts > 1)
    g_string_append_printf (out, gguf->part == 0 ? " in %u files" : ", part of %u files", gguf->n_parts);
  g_string_append_printf (out, ", alignment %" G_GSIZE_FORMAT "\n", gguf->alignment);
  g_string_append_printf (out, "\n%u keys:\n", gguf->kvs->len);
  for (guint i = 0; i < gguf->kvs->len; i++)
    append_text_kv (out, gguf, &g_array_index (gguf->kvs, GgufKv, i));
  g_string_append_printf (out, "\n%u tensors (fastest dimension first):\n", gguf->tensors->len);
  for (guint i = 0; i < gguf->tensors->len; i++) {
    const FacetTensor *tensor = &g_array_index (gguf->tensors, FacetTensor, i);

    g_string_append_printf (out, "  %-40s %-7s ", tensor->name, facet_dtype_name (tensor->dtype));
    append_shape (out, tensor);
    g_string_append_printf (out, "  %" G_GSIZE_FORMAT " bytes\n", tensor->bytes);
  }
  return g_string_free (out, FALSE);
}

static void
append_json_kv (GString *out, FacetGguf *gguf, const GgufKv *kv)
{
  append_quoted (out, kv->key, strlen (kv->key), 0);
  g_string_append (out, ": ");
  if (kv->type == GGUF_STRING)
    append_quoted (out, (const char *) kv->value, kv->n, 0);
  else if (kv->type == GGUF_ARRAY) {
    g_string_append_printf (out, "{\"type\": \"%s\", \"length\": %" G_GUINT64_FORMAT ", \"first\": ",
                            type_names[kv->element], kv->n);
    append_elements (out, gguf, kv, JSON_ELEMENTS, 0);
    g_string_append_c (out, '}');
  } else
    append_number (out, kv, kv->type, 0);
}

static char *
describe_json (FacetGguf *gguf)
{
  GString *out = g_string_new ("{\n  \"path\": ");

  append_quoted (out, gguf->path, strlen (gguf->path), 0);
  g_string_append_printf (out, ",\n  \"bytes\": %" G_GUINT64_FORMAT ",\n  \"version\": %u,\n  \"alignment\": %" G_GSIZE_FORMAT
                          ",\n  \"metadata\": {", facet_gguf_size (gguf), gguf->version, gguf->alignment);
  for (guint i = 0; i < gguf->kvs->len; i++) {
    g_string_append (out, i > 0 ? ",\n    " : "\n    ");
    append_json_kv (out, gguf, &g_array_index (gguf->kvs, GgufKv, i));
  }
  g_string_append (out, "\n  },\n  \"tensors\": [");
  for (guint i = 0; i < gguf->tensors->len; i++) {
    const FacetTensor *tensor = &g_array_index (gguf->tensors, FacetTensor, i);

    g_string_append (out, i > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ");
    append_quoted (out, tensor->name, strlen (tensor->name), 0);
    g_string_append_printf (out, ", \"type\": \"%s\", \"shape\": ", facet_dtype_name (tensor->dtype));
    append_shape (out, tensor);
    g_string_append_printf (out, ", \"bytes\": %" G_GSIZE_FORMAT "}", tensor->bytes);
  }
  g_string_append (out, "\n  ]\n}\n");
  return g_string_free (out, FALSE);
}

char *
facet_gguf_describe (const char *path, gboolean json, GError **error)
{
  g_autoptr (FacetGguf) gguf = gguf_open_for_listing (path, error);

  if (gguf == NULL)
    return NULL;
  return json ? describe_json (gguf) : describe_text (gguf);
}
