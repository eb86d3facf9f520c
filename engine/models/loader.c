#include "models/loader.h"

#include "backend/cpu/kernels.h"
#include "core/half.h"

#define MAX_LISTED 12

typedef struct {
  FacetTensor tensor;
  char       *name;
  float      *data;
} Converted;

static void
converted_free (gpointer data)
{
  Converted *c = data;

  g_free (c->name);
  g_free (c->data);
  g_free (c);
}

void
facet_loader_init (FacetLoader *loader, FacetGguf *gguf, const char *prefix)
{
  loader->gguf = gguf;
  loader->prefix = prefix;
  loader->faults = g_string_new (NULL);
  loader->n_faults = 0;
  loader->owned = g_ptr_array_new_with_free_func (converted_free);
}

gboolean
facet_loader_finish (FacetLoader *loader, GPtrArray **owned, GError **error)
{
  gboolean ok = loader->n_faults == 0;

  if (!ok) {
    if (loader->n_faults > MAX_LISTED)
      g_string_append_printf (loader->faults, "; and %d more", loader->n_faults - MAX_LISTED);
    g_set_error (error, FACET_ERROR, FACET_ERROR_MISSING, "%s: %s", facet_gguf_path (loader->gguf),
                 loader->faults->str);
  }
  g_string_free (loader->faults, TRUE);
  if (ok && owned != NULL)
    *owned = loader->owned;
  else
    g_ptr_array_unref (loader->owned);
  return ok;
}

void
facet_loader_fault (FacetLoader *loader, const char *format, ...)
{
  va_list args;

  if (loader->n_faults++ >= MAX_LISTED)
    return;
  if (loader->faults->len > 0)
    g_string_append (loader->faults, "; ");
  va_start (args, format);
  g_string_append_vprintf (loader->faults, format, args);
  va_end (args);
}

static int
int_within (FacetLoader *loader, const char *key, int lo, int hi, const int *fallback)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", loader->prefix, key);
  guint32 value;

  if (!facet_gguf_get_u32 (loader->gguf, full, &value)) {
    if (fallback != NULL)
      return *fallback;
    facet_loader_fault (loader, "key %s is missing or no number", full);
    return lo;
  }
  if (value > (guint32) hi || (int) value < lo) {
    facet_loader_fault (loader, "key %s is %u, not %d to %d", full, value, lo, hi);
    return lo;
  }
  return (int) value;
}

int
facet_loader_int (FacetLoader *loader, const char *key, int lo, int hi)
{
  return int_within (loader, key, lo, hi, NULL);
}

int
facet_loader_int_or (FacetLoader *loader, const char *key, int lo, int hi, int fallback)
{
  return int_within (loader, key, lo, hi, &fallback);
}

int
facet_loader_int_at (FacetLoader *loader, const char *key, int index, int lo, int hi)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", loader->prefix, key);
  gint64 value;

  if (facet_gguf_array_length (loader->gguf, full) == 0)
    return int_within (loader, key, lo, hi, NULL);
  if (!facet_gguf_array_i64 (loader->gguf, full, (gsize) index, &value)) {
    facet_loader_fault (loader, "key %s has no number for layer %d", full, index);
    return lo;
  }
  if (value < lo || value > hi) {
    facet_loader_fault (loader, "key %s is %" G_GINT64_FORMAT " for layer %d, not %d to %d", full, value, index, lo, hi);
    return lo;
  }
  return (int) value;
}

float
facet_loader_float_or (FacetLoader *loader, const char *key, float fallback)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", loader->prefix, key);
  float value = fallback;

  facet_gguf_get_f32 (loader->gguf, full, &value);
  return value;
}

/* At least two dimensions, further ones where they are not 1. */
static char *
shape_text (const gint64 ne[FACET_MAX_DIMS])
{
  GString *text = g_string_new (NULL);
  int n = ne[3] != 1 ? 4 : ne[2] != 1 ? 3 : 2;

  for (int i = 0; i < n; i++)
    g_string_append_printf (text, "%s%" G_GINT64_FORMAT, i == 0 ? "[" : ", ", ne[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static const FacetTensor *
find (FacetLoader *loader, gint64 ne0, gint64 ne1, gint64 ne2, const char *name)
{
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, name);

  if (t == NULL) {
    facet_loader_fault (loader, "tensor %s is missing", name);
  } else if (t->ne[0] != ne0 || t->ne[1] != ne1 || t->ne[2] != ne2 || t->ne[3] != 1) {
    g_autofree char *found = shape_text (t->ne), *wanted = shape_text ((const gint64[]) { ne0, ne1, ne2, 1 });

    facet_loader_fault (loader, "tensor %s has shape %s, not %s", name, found, wanted);
    t = NULL;
  }
  return t;
}

const FacetTensor *
facet_loader_matrix (FacetLoader *loader, gint64 ne0, gint64 ne1, const char *name, ...)
{
  g_autofree char *full = NULL;
  va_list args;

  va_start (args, name);
  full = g_strdup_vprintf (name, args);
  va_end (args);
  return find (loader, ne0, ne1, 1, full);
}

const FacetTensor *
facet_loader_matrices (FacetLoader *loader, gint64 ne0, gint64 ne1, gint64 n, const char *name, ...)
{
  g_autofree char *full = NULL;
  va_list args;

  va_start (args, name);
  full = g_strdup_vprintf (name, args);
  va_end (args);
  return find (loader, ne0, ne1, n, full);
}

gboolean
facet_loader_has (FacetLoader *loader, const char *name, ...)
{
  g_autofree char *full = NULL;
  va_list args;

  va_start (args, name);
  full = g_strdup_vprintf (name, args);
  va_end (args);
  return facet_gguf_tensor (loader->gguf, full) != NULL;
}

static const FacetTensor *
as_float (FacetLoader *loader, const FacetTensor *t)
{
  const guint8 *src = t->data;
  Converted *c;

  if (t->dtype == FACET_F32)
    return t;
  if (t->dtype != FACET_F16 && t->dtype != FACET_BF16) {
    facet_loader_fault (loader, "tensor %s is %s, vectors must be F32, F16 or BF16", t->name,
                        facet_dtype_name (t->dtype));
    return NULL;
  }
  c = g_new0 (Converted, 1);
  c->tensor = *t;
  c->name = g_strdup (t->name);
  c->data = g_new (float, t->ne[0]);
  for (gint64 i = 0; i < t->ne[0]; i++) {
    guint16 raw;

    memcpy (&raw, src + 2 * i, sizeof raw);
    c->data[i] = t->dtype == FACET_F16 ? facet_half_to_float (raw) : facet_bfloat_to_float (raw);
  }
  c->tensor.dtype = FACET_F32;
  c->tensor.name = c->name;
  c->tensor.data = c->data;
  c->tensor.mapped = FALSE;
  c->tensor.bytes = sizeof (float) * (gsize) t->ne[0];
  g_ptr_array_add (loader->owned, c);
  return &c->tensor;
}

const FacetTensor *
facet_loader_vector (FacetLoader *loader, gint64 n, const char *name, ...)
{
  g_autofree char *full = NULL;
  const FacetTensor *t;
  va_list args;

  va_start (args, name);
  full = g_strdup_vprintf (name, args);
  va_end (args);
  t = find (loader, n, 1, 1, full);
  return t != NULL ? as_float (loader, t) : NULL;
}

void
facet_loader_patches (FacetLoader *loader, int patch, int width, FacetTensor *matrix)
{
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, "v.patch_embd.weight");

  if (t == NULL || t->ne[0] != patch || t->ne[1] != patch || t->ne[2] != 3 || t->ne[3] != width
      || facet_dtype_info (t->dtype)->block != 1) {
    facet_loader_fault (loader, "tensor v.patch_embd.weight is missing or not float [%d, %d, 3, %d]", patch, patch, width);
    return;
  }
  *matrix = *t;
  matrix->ne[0] = 3 * (gint64) patch * patch;
  matrix->ne[1] = width;
  matrix->ne[2] = matrix->ne[3] = 1;
}

float *
facet_loader_floats (FacetLoader *loader, gint64 n, const char *name)
{
  const FacetTensor *t = facet_gguf_tensor (loader->gguf, name);
  float *data;

  if (t == NULL || t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3] != n) {
    facet_loader_fault (loader, "tensor %s is missing or has not %" G_GINT64_FORMAT " elements", name, n);
    return NULL;
  }
  data = g_new (float, n);
  facet_kernels_c ()->dequantize[t->dtype] (t->data, data, (gsize) n);
  return data;
}
